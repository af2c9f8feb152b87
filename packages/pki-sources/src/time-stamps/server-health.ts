import type { SigillumError } from '@sigillum/errors';

/**
 * `healthy`: asked in its place. `cooling`: it failed openly and is asked last. `distrusted`: it gave a wrong answer and
 * isn't asked. `recovering`: its time is over, and a probe decides before a seal is trusted to it.
 */
export type ServerState = 'healthy' | 'cooling' | 'distrusted' | 'recovering';

/** What is known about one server, for metrics and readiness. */
export type TimeStampServerState = {
  readonly name: string;
  readonly state: ServerState;
  /** Until when it is cooling or distrusted. */
  readonly until: Date | undefined;
  /** Requests that ended, well or not, probes included. */
  readonly requests: number;
  readonly failures: number;
  readonly failuresInARow: number;
  readonly lastSuccess: Date | undefined;
  readonly lastFailure: { readonly at: Date; readonly code: string } | undefined;
  /** Of the last token, from request to the end of its verification. */
  readonly lastMilliseconds: number | undefined;
};

export type HealthTimes = { readonly distrustMs: number; readonly cooldownMs: number };

/** A server that keeps failing is left alone longer and longer, up to this: recovery is noticed within it. */
const maxCooldownMs = 5 * 60_000;

/** The health of one server: a circuit breaker whose half-open step is a probe, never a seal. */
export class ServerHealth {
  readonly #times: HealthTimes;
  #bad: 'cooling' | 'distrusted' | undefined;
  #until = 0;
  #requests = 0;
  #failures = 0;
  #failuresInARow = 0;
  #lastSuccess: Date | undefined;
  #lastFailure: { readonly at: Date; readonly code: string } | undefined;
  #lastMilliseconds: number | undefined;
  #lastTokenSize: number | undefined;

  constructor(times: HealthTimes) {
    this.#times = times;
  }

  get lastTokenSize(): number | undefined {
    return this.#lastTokenSize;
  }

  stateAt(now: Date): ServerState {
    if (this.#bad === undefined) return 'healthy';
    return now.getTime() < this.#until ? this.#bad : 'recovering';
  }

  succeed(now: Date, milliseconds: number, tokenSize: number): void {
    this.#requests++;
    this.#failuresInARow = 0;
    this.#bad = undefined;
    this.#until = 0;
    this.#lastSuccess = now;
    this.#lastMilliseconds = milliseconds;
    this.#lastTokenSize = tokenSize;
  }

  /** `tsa_unavailable` is an open failure; everything else was a wrong answer. */
  fail(now: Date, error: SigillumError): void {
    this.#requests++;
    this.#failures++;
    this.#failuresInARow++;
    this.#lastFailure = { at: now, code: error.code };
    if (error.code === 'tsa_unavailable') {
      // A liar that is down meanwhile doesn't become honest by it.
      if (this.stateAt(now) === 'distrusted') return;
      const { cooldownMs } = this.#times;
      const factor = 2 ** Math.min(this.#failuresInARow - 1, 10);
      this.#bad = 'cooling';
      this.#until = now.getTime() + Math.max(cooldownMs, Math.min(cooldownMs * factor, maxCooldownMs));
    } else {
      this.#bad = 'distrusted';
      this.#until = now.getTime() + this.#times.distrustMs;
    }
  }

  describe(name: string, now: Date): TimeStampServerState {
    const state = this.stateAt(now);
    return {
      name,
      state,
      until: state === 'cooling' || state === 'distrusted' ? new Date(this.#until) : undefined,
      requests: this.#requests,
      failures: this.#failures,
      failuresInARow: this.#failuresInARow,
      lastSuccess: this.#lastSuccess,
      lastFailure: this.#lastFailure,
      lastMilliseconds: this.#lastMilliseconds,
    };
  }
}
