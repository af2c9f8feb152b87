import { SigillumError } from '@sigillum/errors';

/** Seconds after which a place is probably free: a seal takes well below one. */
const retryAfterSeconds = 1;

/**
 * A bounded number of documents at once, and of each API key, so that one caller can't take all of them. Nobody queues: a
 * caller that is told at once can go to another instance.
 */
export class Places {
  readonly #limit: number;
  readonly #limitOfKey: number;
  readonly #waiting: (() => void)[] = [];
  /** By the id of the API key; as many as there are places at most. */
  readonly #ofKeys = new Map<string, number>();
  #taken = 0;

  constructor(limit: number, limitOfKey: number) {
    this.#limit = limit;
    this.#limitOfKey = limitOfKey;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a place for an API key.
   * @returns how to give it back
   * @throws SigillumError `service_overloaded`; `request_rate_limited` when the key has its share
   */
  take(key: string): () => void {
    const ofKey = this.#ofKeys.get(key) ?? 0;
    if (ofKey >= this.#limitOfKey) {
      throw new SigillumError(
        'request_rate_limited',
        `This API key has ${ofKey} documents in work at the moment. Wait for one of them.`,
        { retryAfterSeconds },
      );
    }
    if (this.#taken >= this.#limit) {
      throw new SigillumError('service_overloaded', 'Too many seals are being made at the moment. Try again shortly.', {
        retryAfterSeconds,
      });
    }
    this.#taken += 1;
    this.#ofKeys.set(key, ofKey + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#taken -= 1;
      const left = (this.#ofKeys.get(key) ?? 1) - 1;
      if (left === 0) this.#ofKeys.delete(key);
      else this.#ofKeys.set(key, left);
      if (this.#taken === 0) for (const wake of this.#waiting.splice(0)) wake();
    };
  }

  /** Resolves when nobody holds a place, also those whose callers have gone. */
  async whenFree(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
