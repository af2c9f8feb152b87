import { randomBytes } from 'node:crypto';
import { getDigestOf } from '@sigillum/algorithms';
import type { Logger } from '@sigillum/service-kit';
import type { ServedKey } from './served-keys.ts';
import type { SignerMetrics } from './signer-metrics.ts';
import type { SignerProcess } from './signer-process.ts';
import { WorkItem } from './work-item.ts';

export type CanaryOptions = {
  readonly intervalMs: number;
  readonly logger: Logger;
  readonly metrics: SignerMetrics;
  readonly token: string;
  readonly listSigners: () => readonly SignerProcess[];
  readonly isQuarantined: (keyId: string) => boolean;
  /** Also when there is no canary key. */
  readonly onTick: () => void;
};

/** No canary for so many intervals means that nothing is known any more. */
const STALE_INTERVALS = 3;

/**
 * Health of a token by what it is for: a real signature of every signer process on a timer, with a key that signs
 * nothing else. C_GetSessionInfo is no health: it says 'logged in' with the token gone. A process that doesn't
 * answer is killed by its watchdog, which needs work in it to notice.
 */
export class Canary {
  readonly #options: CanaryOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #asked = new WeakSet<SignerProcess>();
  #key: ServedKey | undefined;
  #lastOk: number | undefined;
  #isFailing = false;

  constructor(options: CanaryOptions) {
    this.#options = options;
    // The breaker's pauses are shorter than the interval may be.
    let sinceMs = 0;
    const tickMs = Math.min(options.intervalMs, 500);
    this.#timer = setInterval(() => {
      sinceMs += tickMs;
      options.onTick();
      if (sinceMs < options.intervalMs) return;
      sinceMs = 0;
      for (const signer of options.listSigners()) this.ask(signer);
    }, tickMs);
    this.#timer.unref();
  }

  /** The key from now on; without one nothing is known, and health is that of the processes alone. */
  use(key: ServedKey | undefined): void {
    this.#key = key;
    this.#lastOk = undefined;
    this.#isFailing = false;
  }

  /** The same, when it is another one. */
  keep(key: ServedKey | undefined): void {
    if (key?.keyId !== this.#key?.keyId) this.use(key);
  }

  /** Whether the last canary of any process was right, and not too long ago. */
  get isHealthy(): boolean {
    if (!this.#key || this.#lastOk === undefined) return !this.#isFailing;
    return !this.#isFailing && performance.now() - this.#lastOk < STALE_INTERVALS * this.#options.intervalMs + 5_000;
  }

  /** Asks one process for a signature; answers whether there is a key to ask for. */
  ask(signer: SignerProcess): boolean {
    const key = this.#key;
    // A canary that sang wrongly stays silent, and the token unhealthy, until a person has looked.
    if (!key || !signer.knows(key.keyId) || this.#options.isQuarantined(key.keyId)) return false;
    if (this.#asked.has(signer)) return true;
    this.#asked.add(signer);
    const item = new WorkItem({
      key,
      digest: randomBytes(getDigestOf(key.algorithm).length),
      // Its process is killed long before.
      deadline: Infinity,
      isCanary: true,
      onSettled: (_item, outcome) => {
        this.#asked.delete(signer);
        this.#record(outcome.kind === 'signed' ? 'ok' : outcome.code);
      },
    });
    signer.send(item);
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #record(outcome: string): void {
    const { logger, metrics, token } = this.#options;
    const isOk = outcome === 'ok';
    metrics.canaries.inc({ outcome: isOk ? 'ok' : 'failed' });
    if (isOk) this.#lastOk = performance.now();
    if (isOk === this.#isFailing) {
      if (isOk) logger.info('the canary signs again', { token });
      else logger.error('the canary signature failed', { token, code: outcome });
    }
    this.#isFailing = !isOk;
  }
}
