import { SigillumError } from '@sigillum/errors';
import type { Lane } from './lane.ts';
import type { Token } from './token.ts';

export type LanePoolOptions = {
  /** Sessions that work at the same time. Each blocks one libuv thread: UV_THREADPOOL_SIZE must be larger. */
  readonly lanes: number;
  /** Work that may wait for a lane; beyond it `run` refuses at once, so that memory and waiting stay bounded. */
  readonly maxWaiting: number;
};

/** N lanes of one token and a bounded first-in-first-out queue in front of them. For the signer process. */
export class LanePool {
  readonly #idle: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  readonly #maxWaiting: number;
  #busy = 0;
  #whenIdle: (() => void)[] = [];

  constructor(token: Token, options: LanePoolOptions) {
    this.#idle = Array.from({ length: options.lanes }, () => token.openLane());
    this.#maxWaiting = options.maxWaiting;
  }

  /**
   * Lends a lane to `work` for its one operation after the other.
   * @throws `pkcs11_lanes_full` when too much is waiting already.
   */
  async run<T>(work: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = await this.#acquire();
    try {
      return await work(lane);
    } finally {
      this.#release(lane);
    }
  }

  #acquire(): Promise<Lane> {
    const lane = this.#idle.pop();
    if (!lane && this.#waiting.length >= this.#maxWaiting) {
      const message = `More than ${this.#maxWaiting} operations wait for the token.`;
      return Promise.reject(new SigillumError('pkcs11_lanes_full', message));
    }
    this.#busy += 1;
    lane?.reserve();
    return lane ? Promise.resolve(lane) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(lane: Lane): void {
    this.#busy -= 1;
    const next = this.#waiting.shift();
    // Handed on, it stays reserved: there must be no moment in which the token could be closed under it.
    if (next) next(lane);
    else {
      lane.release();
      this.#idle.push(lane);
    }
    if (this.#busy === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Resolves when nothing is in flight or waiting: only then may sessions be closed or the module finalised. */
  drain(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }
}
