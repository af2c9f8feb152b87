import type { Purpose } from '@sigillum/signer-rpc';
import type { WorkItem } from './work-item.ts';

/**
 * One bounded queue per purpose, emptied in turn, so that no purpose can starve another. In front of each stand the
 * digests that a signer process gave back: they were admitted before, so they count beyond the bound.
 */
export class PurposeQueues {
  readonly #queues = new Map<Purpose, { waiting: WorkItem[]; returned: WorkItem[] }>();
  readonly #maxLength: number;

  constructor(purposes: Iterable<Purpose>, maxLength: number) {
    this.#maxLength = maxLength;
    this.addPurposes(purposes);
  }

  /** Purposes of keys that came later. */
  addPurposes(purposes: Iterable<Purpose>): void {
    for (const purpose of purposes) {
      if (!this.#queues.has(purpose)) this.#queues.set(purpose, { waiting: [], returned: [] });
    }
  }

  /** Takes all items or none. They have one purpose, because they have one key. */
  add(items: readonly WorkItem[]): boolean {
    const queue = items[0] && this.#queues.get(items[0].key.purpose);
    if (!queue || queue.waiting.length + items.length > this.#maxLength) return false;
    queue.waiting.push(...items);
    return true;
  }

  /** An item that a signer process could not finish goes to the front. */
  putBack(item: WorkItem): void {
    this.#queues.get(item.key.purpose)?.returned.push(item);
  }

  /**
   * The next item of a purpose that `mayTake` allows; the purpose served last comes last.
   * @param mayRetry whether a returned item may go to this taker: the second attempt is a sibling's
   */
  take(mayTake: (purpose: Purpose) => boolean, mayRetry: (item: WorkItem) => boolean): WorkItem | undefined {
    for (const [purpose, queue] of this.#queues) {
      if (queue.waiting.length + queue.returned.length === 0 || !mayTake(purpose)) continue;
      const index = queue.returned.findIndex(mayRetry);
      const item = index === -1 ? queue.waiting.shift() : queue.returned.splice(index, 1)[0];
      if (!item) continue;
      // A Map keeps the order of insertion, so this is the round-robin.
      this.#queues.delete(purpose);
      this.#queues.set(purpose, queue);
      return item;
    }
    return undefined;
  }

  /** Takes items out, wherever they wait, and answers them. */
  remove(isMeant: (item: WorkItem) => boolean): WorkItem[] {
    const removed: WorkItem[] = [];
    const stays = (item: WorkItem): boolean => {
      if (!isMeant(item)) return true;
      removed.push(item);
      return false;
    };
    for (const queue of this.#queues.values()) {
      queue.waiting = queue.waiting.filter(stays);
      queue.returned = queue.returned.filter(stays);
    }
    return removed;
  }

  /** Waiting before a new item of this purpose. */
  lengthOf(purpose: Purpose): number {
    const queue = this.#queues.get(purpose);
    return queue ? queue.waiting.length + queue.returned.length : 0;
  }

  has(purpose: Purpose): boolean {
    return this.#queues.has(purpose);
  }

  get isEmpty(): boolean {
    for (const { waiting, returned } of this.#queues.values()) if (waiting.length + returned.length > 0) return false;
    return true;
  }

  lengths(): ReadonlyMap<Purpose, number> {
    return new Map(Array.from(this.#queues.keys(), (purpose) => [purpose, this.lengthOf(purpose)]));
  }

  /** Empties all queues. */
  clear(): WorkItem[] {
    return [...this.#queues.values()].flatMap(({ waiting, returned }) => [...returned.splice(0), ...waiting.splice(0)]);
  }
}
