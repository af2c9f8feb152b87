import { SigillumError } from '@sigillum/errors';
import type { Lane } from './lane.ts';
import type { Token } from './token.ts';

export type LanePoolOptions = {
  /** Sessions that work at the same time. Each blocks one libuv thread: UV_THREADPOOL_SIZE must be larger. */
  readonly lanes: number;
  /** Work that may wait for a lane; beyond it `run` refuses at once, so that memory and waiting stay bounded. */
  readonly maxWaiting: number;
  /** The module computes in this process, so calls are made without another thread (see {@link Lane}). */
  readonly isInProcess?: boolean;
  /** Lanes, of those, that work for one group alone. At least one lane must be left for everybody. */
  readonly reserved?: ReadonlyMap<string, number>;
};

type Place = { readonly lane: Lane; readonly reservedFor: string | undefined };

/**
 * N lanes of one token and a bounded queue in front of them, first in first out within a group of work and in turn
 * between groups. For the signer process.
 */
export class LanePool {
  readonly #idle: Place[];
  readonly #waiting = new Map<string, ((place: Place) => void)[]>();
  readonly #maxWaiting: number;
  #waitingCount = 0;
  #busy = 0;
  #whenIdle: (() => void)[] = [];

  /** @throws RangeError when every lane would be reserved */
  constructor(token: Token, options: LanePoolOptions) {
    const owners = [...(options.reserved ?? [])].flatMap(([group, count]) => Array<string>(count).fill(group));
    if (owners.length >= options.lanes) throw new RangeError('every lane is reserved');
    this.#idle = Array.from({ length: options.lanes }, (_, index) => ({
      lane: token.openLane(options.isInProcess),
      reservedFor: owners[index],
    }));
    this.#maxWaiting = options.maxWaiting;
  }

  /**
   * Lends a lane to `work` for its one operation after the other.
   * @throws `pkcs11_lanes_full` when too much is waiting already.
   */
  async run<T>(work: (lane: Lane) => Promise<T>, group = ''): Promise<T> {
    const place = await this.#acquire(group);
    try {
      return await work(place.lane);
    } finally {
      this.#release(place);
    }
  }

  #acquire(group: string): Promise<Place> {
    const place = this.#takeIdle(group);
    if (!place && this.#waitingCount >= this.#maxWaiting) {
      const message = `More than ${this.#maxWaiting} operations wait for the token.`;
      return Promise.reject(new SigillumError('pkcs11_lanes_full', message));
    }
    this.#busy += 1;
    if (place) {
      place.lane.reserve();
      return Promise.resolve(place);
    }
    return new Promise((resolve) => {
      const queue = this.#waiting.get(group);
      if (queue) queue.push(resolve);
      else this.#waiting.set(group, [resolve]);
      this.#waitingCount += 1;
    });
  }

  /** Its own lanes first, so that those for everybody stay free for everybody. */
  #takeIdle(group: string): Place | undefined {
    let index = this.#idle.findIndex(({ reservedFor }) => reservedFor === group);
    if (index === -1) index = this.#idle.findLastIndex(({ reservedFor }) => reservedFor === undefined);
    return index === -1 ? undefined : this.#idle.splice(index, 1)[0];
  }

  #release(place: Place): void {
    this.#busy -= 1;
    const next = this.#takeWaiting(place.reservedFor);
    // Handed on, it stays reserved: there must be no moment in which the token could be closed under it.
    if (next) next(place);
    else {
      place.lane.release();
      this.#idle.push(place);
    }
    if (this.#busy === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #takeWaiting(reservedFor: string | undefined): ((place: Place) => void) | undefined {
    for (const [group, queue] of this.#waiting) {
      if (reservedFor !== undefined && reservedFor !== group) continue;
      // A Map keeps the order of insertion: the group served now comes last.
      this.#waiting.delete(group);
      if (queue.length > 1) this.#waiting.set(group, queue);
      this.#waitingCount -= 1;
      return queue.shift();
    }
    return undefined;
  }

  /** Resolves when nothing is in flight or waiting: only then may sessions be closed or the module finalised. */
  drain(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }
}
