import { SigillumError } from '@sigillum/errors';

/** Seconds after which a place is probably free: a seal takes well below one. */
const retryAfterSeconds = 1;

/** A bounded number of seals at once. Nobody queues: a caller that is told at once can go to another instance. */
export class Places {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place. @returns how to give it back. @throws SigillumError `service_overloaded` */
  take(): () => void {
    if (this.#taken >= this.#limit) {
      throw new SigillumError('service_overloaded', 'Too many seals are being made at the moment. Try again shortly.', {
        retryAfterSeconds,
      });
    }
    this.#taken += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#taken -= 1;
      if (this.#taken === 0) for (const wake of this.#waiting.splice(0)) wake();
    };
  }

  /** Resolves when nobody holds a place, also those whose callers have gone. */
  async whenFree(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
