import type { Purpose } from '@sigillum/signer-rpc';
import type { WorkItem } from './work-item.ts';

/** One bounded queue per purpose, emptied in turn, so that no purpose can starve another. */
export class PurposeQueues {
  readonly #queues = new Map<Purpose, WorkItem[]>();
  readonly #maxLength: number;

  constructor(purposes: Iterable<Purpose>, maxLength: number) {
    for (const purpose of purposes) this.#queues.set(purpose, []);
    this.#maxLength = maxLength;
  }

  /** Takes all items or none. They have one purpose, because they have one key. */
  add(items: readonly WorkItem[]): boolean {
    const queue = items[0] && this.#queues.get(items[0].key.purpose);
    if (!queue || queue.length + items.length > this.#maxLength) return false;
    queue.push(...items);
    return true;
  }

  /** An item that a dead signer process held goes to the front, beyond the bound: it was admitted before. */
  putBack(item: WorkItem): void {
    this.#queues.get(item.key.purpose)?.unshift(item);
  }

  /** The next item of a purpose that `mayTake` allows; the purpose served last comes last. */
  take(mayTake: (purpose: Purpose) => boolean): WorkItem | undefined {
    for (const [purpose, queue] of this.#queues) {
      if (queue.length === 0 || !mayTake(purpose)) continue;
      // A Map keeps the order of insertion, so this is the round-robin.
      this.#queues.delete(purpose);
      this.#queues.set(purpose, queue);
      return queue.shift();
    }
    return undefined;
  }

  remove(items: ReadonlySet<WorkItem>): void {
    for (const [purpose, queue] of this.#queues) {
      if (queue.some((item) => items.has(item))) {
        this.#queues.set(
          purpose,
          queue.filter((item) => !items.has(item)),
        );
      }
    }
  }

  lengths(): ReadonlyMap<Purpose, number> {
    return new Map(Array.from(this.#queues, ([purpose, queue]) => [purpose, queue.length]));
  }

  /** Empties all queues. */
  clear(): WorkItem[] {
    return [...this.#queues.values()].flatMap((queue) => queue.splice(0));
  }
}
