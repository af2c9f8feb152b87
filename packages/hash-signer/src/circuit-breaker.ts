export type BreakerOptions = {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** And no signature for this long: a healthy sibling of a failing process signs within a watchdog period. */
  readonly quietMs: number;
  readonly pauseMs: number;
};

/** The longest pause is this many times the first one. */
const LONGEST_PAUSE = 10;

/**
 * Takes a token out of use when nothing but failures comes from it: callers get their 503 at once instead of a
 * failure after a wait, and the HSM gets a rest. After a pause one trial at a time may show that it works again.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  readonly #now: () => number;
  #failures = 0;
  #lastSuccess: number;
  #openUntil: number | undefined;
  #pauseMs: number;
  #isTrying = false;

  constructor(options: BreakerOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#lastSuccess = now();
    this.#pauseMs = options.pauseMs;
  }

  get isOpen(): boolean {
    return this.#openUntil !== undefined;
  }

  /** How long callers had better wait, in milliseconds. */
  get remainingMs(): number {
    return this.#openUntil === undefined ? 0 : Math.max(0, this.#openUntil - this.#now());
  }

  /** Open, its pause is over and nobody tries yet: the caller does now, and reports success or failure. */
  mayTry(): boolean {
    if (this.#openUntil === undefined || this.#isTrying || this.#now() < this.#openUntil) return false;
    this.#isTrying = true;
    return true;
  }

  /** A signature came. Answers whether that closed the breaker. */
  succeed(): boolean {
    const wasOpen = this.isOpen;
    this.#failures = 0;
    this.#lastSuccess = this.#now();
    this.#openUntil = undefined;
    this.#isTrying = false;
    this.#pauseMs = this.#options.pauseMs;
    return wasOpen;
  }

  /** The token failed. Answers whether that opened the breaker. */
  fail(): boolean {
    const now = this.#now();
    this.#failures += 1;
    if (this.isOpen) {
      if (this.#isTrying) {
        this.#isTrying = false;
        this.#pauseMs = Math.min(this.#options.pauseMs * LONGEST_PAUSE, this.#pauseMs * 2);
        this.#openUntil = now + this.#pauseMs;
      }
      return false;
    }
    if (this.#failures < this.#options.failures || now - this.#lastSuccess < this.#options.quietMs) return false;
    this.#openUntil = now + this.#pauseMs;
    return true;
  }
}
