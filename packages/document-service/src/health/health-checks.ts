import { connect } from 'node:net';
import type { TimeStampRequester } from '@sigillum/pki-sources';
import type { SignerClient } from '@sigillum/signer-rpc';
import { assertSchemaCurrent, type Database } from '@sigillum/store';

/** What a seal needs, and whether each works. */
export type HealthReport = {
  readonly checks: { readonly database: boolean; readonly signer: boolean; readonly time_stamps: boolean };
  readonly checkedAt: Date;
};

/** What is asked. */
export type HealthParts = {
  readonly db: Database;
  readonly signer: Pick<SignerClient, 'health'>;
  readonly timeStamps: Pick<TimeStampRequester, 'isUsable'>;
  readonly timeStampUrls: readonly string[];
  readonly now: () => Date;
};

/** An open status page must not become a way to keep signer and database busy. */
const freshMs = 2_000;

/** A part that takes longer is of no use to a caller either. */
const connectTimeoutMs = 2_000;

/** Asks database, signer and time-stamp authorities, at most once in {@link freshMs}, and remembers. */
export class HealthChecks {
  readonly #parts: HealthParts;
  #running: Promise<HealthReport> | undefined;
  #last: HealthReport | undefined;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  async check(): Promise<HealthReport> {
    if (this.#last !== undefined && this.#parts.now().getTime() - this.#last.checkedAt.getTime() < freshMs) {
      return this.#last;
    }
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<HealthReport> {
    const { db, signer, timeStamps, timeStampUrls, now } = this.#parts;
    const [database, signs, reachable] = await Promise.all([
      works(assertSchemaCurrent(db)),
      signer.health().then(
        (answer) => answer.purposes.seal === 'ok',
        () => false,
      ),
      Promise.all(timeStampUrls.map((url) => works(reach(url)))),
    ]);
    const time_stamps = timeStamps.isUsable && reachable.includes(true);
    this.#last = { checks: { database, signer: signs, time_stamps }, checkedAt: now() };
    return this.#last;
  }
}

function works(check: Promise<unknown>): Promise<boolean> {
  return check.then(
    () => true,
    () => false,
  );
}

/** Whether somebody listens there: a real time-stamp for each probe would spend HSM operations on nobody. */
function reach(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replaceAll(/^\[|\]$/g, ''),
      port: Number(port || (protocol === 'https:' ? 443 : 80)),
      timeout: connectTimeoutMs,
    });
    const end = (settle: () => void) => () => {
      socket.destroy();
      settle();
    };
    socket.once('connect', end(resolve));
    socket.once(
      'timeout',
      end(() => reject(new Error('timeout'))),
    );
    socket.once(
      'error',
      end(() => reject(new Error('unreachable'))),
    );
  });
}
