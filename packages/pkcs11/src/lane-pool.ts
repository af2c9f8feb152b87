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
  /** Opens as many sessions again, for what can be done before an operation has its lane. */
  readonly preparesAhead?: boolean;
  /** Lanes, of those, that work for one group alone. At least one lane must be left for everybody. */
  readonly reserved?: ReadonlyMap<string, number>;
};

/** The right to have an operation in flight: there are as many as lanes. */
type Place = { readonly reservedFor: string | undefined };

/** Work that waits for a place, and the session on which it is begun already. */
type Waiting = {
  readonly prepare: ((lane: Lane) => void) | undefined;
  readonly go: (place: Place, lane: Lane) => void;
  lane: Lane | undefined;
};

/** A lane and the place that it has. */
type Lent = { readonly place: Place; readonly lane: Lane };

/**
 * N lanes of one token and a bounded queue in front of them, first in first out within a group of work and in turn
 * between groups. For the signer process.
 *
 * Where the HSM waits for something else than this process, there are twice as many sessions as lanes: while N operations
 * are in flight, up to N of those that wait are prepared (C_SignInit), so that a lane goes on in the moment in which it
 * is free. In flight there are never more than N.
 */
export class LanePool {
  readonly #idlePlaces: Place[];
  readonly #idleLanes: Lane[];
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #maxWaiting: number;
  /** How many more operations may be prepared. */
  #spare: number;
  #isPreparing = false;
  #waitingCount = 0;
  #busy = 0;
  #whenIdle: (() => void)[] = [];

  /** @throws RangeError when every lane would be reserved */
  constructor(token: Token, options: LanePoolOptions) {
    const { lanes, isInProcess = false, preparesAhead = false } = options;
    const owners = [...(options.reserved ?? [])].flatMap(([group, count]) => Array<string>(count).fill(group));
    if (owners.length >= lanes) throw new RangeError('every lane is reserved');
    this.#spare = preparesAhead ? lanes : 0;
    this.#idlePlaces = Array.from({ length: lanes }, (_, index) => ({ reservedFor: owners[index] }));
    this.#idleLanes = Array.from({ length: lanes + this.#spare }, () => token.openLane(isInProcess));
    this.#maxWaiting = options.maxWaiting;
  }

  /**
   * Lends a lane to `work` for its one operation after the other.
   * @param prepare what can be done on the lane while the work still waits
   * @throws `pkcs11_lanes_full` when too much is waiting already.
   */
  async run<T>(work: (lane: Lane) => Promise<T>, group = '', prepare?: (lane: Lane) => void): Promise<T> {
    const { place, lane } = await this.#acquire(group, prepare);
    try {
      return await work(lane);
    } finally {
      this.#release(place, lane);
    }
  }

  #acquire(group: string, prepare: ((lane: Lane) => void) | undefined): Promise<Lent> {
    const place = this.#takeIdlePlace(group);
    if (!place && this.#waitingCount >= this.#maxWaiting) {
      const message = `More than ${this.#maxWaiting} operations wait for the token.`;
      return Promise.reject(new SigillumError('pkcs11_lanes_full', message));
    }
    this.#busy += 1;
    if (place) return Promise.resolve({ place, lane: this.#takeIdleLane() });
    return new Promise((resolve) => {
      const waiting: Waiting = { prepare, lane: undefined, go: (freed, lane) => resolve({ place: freed, lane }) };
      const queue = this.#waiting.get(group);
      if (queue) queue.push(waiting);
      else this.#waiting.set(group, [waiting]);
      this.#waitingCount += 1;
      this.#prepareSoon();
    });
  }

  /** Its own places first, so that those for everybody stay free for everybody. */
  #takeIdlePlace(group: string): Place | undefined {
    let index = this.#idlePlaces.findIndex(({ reservedFor }) => reservedFor === group);
    if (index === -1) index = this.#idlePlaces.findLastIndex(({ reservedFor }) => reservedFor === undefined);
    return index === -1 ? undefined : this.#idlePlaces.splice(index, 1)[0];
  }

  /** Whoever has a place finds one: there are as many besides those on which something is prepared. */
  #takeIdleLane(): Lane {
    const lane = this.#idleLanes.pop();
    if (!lane) throw new RangeError('no lane for a place');
    lane.reserve();
    return lane;
  }

  #release(place: Place, lane: Lane): void {
    this.#busy -= 1;
    const next = this.#takeWaiting(place.reservedFor);
    if (next?.lane) this.#spare += 1;
    lane.release();
    this.#idleLanes.push(lane);
    // Reserved at once: there must be no moment in which the token could be closed under it.
    if (next) next.go(place, next.lane ?? this.#takeIdleLane());
    else this.#idlePlaces.push(place);
    this.#prepareSoon();
    if (this.#busy === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** After all that ended in this turn of the event loop has made way for others. */
  #prepareSoon(): void {
    if (this.#isPreparing || this.#spare === 0 || this.#waitingCount === 0) return;
    this.#isPreparing = true;
    setImmediate(() => {
      this.#isPreparing = false;
      for (const queue of this.#waiting.values()) for (const waiting of queue) this.#prepare(waiting);
    });
  }

  #prepare(waiting: Waiting): void {
    if (waiting.lane || !waiting.prepare || this.#spare === 0) return;
    this.#spare -= 1;
    waiting.lane = this.#takeIdleLane();
    waiting.prepare(waiting.lane);
  }

  #takeWaiting(reservedFor: string | undefined): Waiting | undefined {
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
