/** The first pause after a death, and the longest: a token that comes back is used within seconds. */
const FIRST_MS = 50;
const LONGEST_MS = 5_000;

/** Pauses between the starts of a process: doubling, with jitter so that siblings don't come back together. */
export class Backoff {
  #next = FIRST_MS;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The pause before the next start, in milliseconds: between half of the step and all of it. */
  next(): number {
    const step = this.#next;
    this.#next = Math.min(LONGEST_MS, step * 2);
    return step / 2 + (this.#random() * step) / 2;
  }

  /** It worked: the next death is a new story. */
  reset(): void {
    this.#next = FIRST_MS;
  }
}
