import { isSigillumError, SigillumError } from '@sigillum/errors';

/** Without a refusal for so long, one call more is tried: often enough to find room, seldom enough to cost nothing. */
const calmMs = 1000;

export type SigningWindowOptions = {
  /** Calls at the same time, at most. */
  readonly most: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
};

/**
 * How many signDigests calls are with the signer at the same time. The signer takes in no more than it can sign in a
 * moment and refuses the rest at once (`signer_overloaded`): nothing is signed then, so a call that was asked or refused
 * while another of ours was under way waits for that one and asks again, and from then on fewer go out together. Without
 * one of ours the room is taken by others: that is an overload, and is thrown.
 */
export class SigningWindow {
  readonly #options: SigningWindowOptions;
  #allowed: number;
  #underWay = 0;
  #changedAt: number;
  /** Those that wait, the first to go on first. As many as there are batches in flight. */
  readonly #waiting: (() => void)[] = [];

  constructor(options: SigningWindowOptions) {
    this.#options = options;
    this.#allowed = options.most;
    this.#changedAt = options.now();
  }

  /**
   * @param call asks the signer within the milliseconds that are left; called again after a refusal
   * @param until on the clock of `now`: the end of all attempts together; nothing is asked later
   */
  async run<Result>(call: (leftMs: number) => Promise<Result>, until: number): Promise<Result> {
    let refused: SigillumError | undefined;
    let hasWaited = false;
    for (;;) {
      while (this.#underWay >= this.#allowed) {
        hasWaited = true;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      const leftMs = until - this.#options.now();
      if (leftMs <= 0) {
        // What woke us goes to the next.
        this.#wake();
        throw refused ?? tooLate();
      }
      const before = this.#underWay;
      this.#underWay += 1;
      try {
        const result = await call(leftMs);
        this.#widen();
        return result;
      } catch (error) {
        // What the wait for others has left is too short for the signer: that is want of room, not of configuration.
        if (isSigillumError(error, 'signer_deadline_too_short') && (hasWaited || refused)) {
          throw refused ?? tooLate(error);
        }
        const others = this.#underWay - 1;
        // Answers overtake each other: the one that took the room may be here before the refusal that it caused.
        const isOurs = before > 0 || others > 0;
        if (!isSigillumError(error, 'signer_overloaded') || !isOurs || this.#options.now() >= until) throw error;
        refused = error;
        this.#allowed = Math.max(1, others);
        this.#changedAt = this.#options.now();
      } finally {
        this.#underWay -= 1;
        this.#wake();
      }
    }
  }

  #widen(): void {
    const now = this.#options.now();
    if (this.#allowed >= this.#options.most || now - this.#changedAt < calmMs) return;
    this.#allowed += 1;
    this.#changedAt = now;
  }

  #wake(): void {
    for (let room = this.#allowed - this.#underWay; room > 0; room--) this.#waiting.shift()?.();
  }
}

function tooLate(cause?: SigillumError): SigillumError {
  const message = 'The time went by while other calls were signed.';
  return new SigillumError('signer_overloaded', message, { cause, retryAfterSeconds: 1 });
}
