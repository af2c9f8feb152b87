import { SigillumError } from '@sigillum/errors';

/** Waiting for one host at most: with four lanes and five seconds each, whoever stood behind more would time out. */
const maxWaiting = 64;

type Host = { busy: number; readonly waiting: (() => void)[] };

/** Bounds how many exchanges run with one host at a time; the others wait in order. */
export class HostLanes {
  readonly #maxBusy: number;
  /** Only hosts that somebody is using or waiting for. */
  readonly #hosts = new Map<string, Host>();

  constructor(maxBusy: number) {
    this.#maxBusy = maxBusy;
  }

  /** Waits for a lane; the answer gives it back. Throws `egress_failed` when too many wait or the signal ends. */
  async enter(name: string, signal: AbortSignal): Promise<() => void> {
    const host = this.#hosts.get(name) ?? { busy: 0, waiting: [] };
    this.#hosts.set(name, host);
    if (host.busy < this.#maxBusy) {
      host.busy++;
    } else {
      if (host.waiting.length >= maxWaiting) throw failed('too many requests wait for it');
      // Who leaves hands the lane over, so `busy` stays as it is.
      await waitForTurn(host, signal);
    }
    return () => {
      const next = host.waiting.shift();
      if (next) next();
      else if (--host.busy === 0) this.#hosts.delete(name);
    };
  }
}

function waitForTurn(host: Host, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const turn = (): void => resolve();
  const abort = (): void => {
    const index = host.waiting.indexOf(turn);
    if (index < 0) return;
    host.waiting.splice(index, 1);
    reject(failed('it did not answer in time'));
  };
  host.waiting.push(turn);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return promise.finally(() => signal.removeEventListener('abort', abort));
}

function failed(why: string): SigillumError {
  return new SigillumError('egress_failed', `The server can't be used: ${why}.`);
}
