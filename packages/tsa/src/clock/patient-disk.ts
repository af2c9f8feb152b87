import { SigillumError } from '@sigillum/errors';

/** What a disk may take for a sync. Busy ones take tens of milliseconds; one that takes this long serves nobody. */
const patienceMs = 2000;

/**
 * Bounds the waiting for a disk that may hang: a failing network volume, a frozen file system. What was begun goes on,
 * because nothing can call it back; its end shows that the disk is there again.
 */
export class PatientDisk {
  readonly #onChange: (isStuck: boolean) => void;
  #overdue = 0;

  /** @param onChange told when it begins to hang and when it is there again */
  constructor(onChange: (isStuck: boolean) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** Something that was begun is overdue and hasn't ended: nothing else should begin. */
  get isStuck(): boolean {
    return this.#overdue > 0;
  }

  /** The result of something that writes. @throws SigillumError `service_unavailable` when it is overdue */
  async wait<Result>(writing: Promise<Result>): Promise<Result> {
    let isOverdue = false;
    const overdue = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      isOverdue = true;
      this.#count(1);
      const options = { retryAfterSeconds: 5 };
      overdue.reject(new SigillumError('service_unavailable', 'The disk does not answer.', options));
    }, patienceMs);
    const ended = writing.finally(() => {
      clearTimeout(timer);
      if (isOverdue) this.#count(-1);
    });
    // Also heard when nobody waits for it any more.
    return Promise.race([ended, overdue.promise]);
  }

  #count(change: 1 | -1): void {
    const wasStuck = this.isStuck;
    this.#overdue += change;
    if (this.isStuck !== wasStuck) this.#onChange(this.isStuck);
  }
}
