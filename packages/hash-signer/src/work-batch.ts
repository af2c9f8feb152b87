import type { ServedKey } from './served-keys.ts';
import { WorkItem, type WorkOutcome } from './work-item.ts';

/** The digests of one request, and the one wait for all of them. */
export class WorkBatch {
  readonly items: readonly WorkItem[];
  readonly #deadline: number;
  readonly #done = Promise.withResolvers<void>();
  readonly #late = new Map<WorkItem, (outcome: WorkOutcome) => void>();
  #open: number;

  /** @param deadline on the clock of `performance.now()` */
  constructor(key: ServedKey, digests: readonly Uint8Array[], deadline: number) {
    this.#deadline = deadline;
    this.#open = digests.length;
    const onSettled = (item: WorkItem, outcome: WorkOutcome): void => this.#settle(item, outcome);
    this.items = digests.map((digest) => new WorkItem({ key, digest, deadline, onSettled }));
  }

  /** Until all items are settled or the time is over. */
  async wait(): Promise<void> {
    if (this.#open === 0) return;
    const timer = setTimeout(() => this.#done.resolve(), Math.max(0, this.#deadline - performance.now()));
    await this.#done.promise;
    clearTimeout(timer);
  }

  /** Who is told about an item that settles after the wait. */
  onLate(item: WorkItem, listener: (outcome: WorkOutcome) => void): void {
    this.#late.set(item, listener);
  }

  #settle(item: WorkItem, outcome: WorkOutcome): void {
    this.#open -= 1;
    if (this.#open === 0) this.#done.resolve();
    this.#late.get(item)?.(outcome);
  }
}
