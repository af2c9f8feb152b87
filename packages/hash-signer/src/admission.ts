import { MAX_DIGESTS, type Purpose } from '@sigillum/signer-rpc';

/** Weight of the newest interval between two completions in the average by which waiting is predicted. */
const PACE_WEIGHT = 0.05;

/** Weight of the newest execution time in its average. */
const EXECUTION_WEIGHT = 0.05;

/**
 * A pace that was not measured for so long is believed no more. One that is far too slow (the HSM hung, and others waited)
 * would refuse whoever had to wait, and with nobody waiting it would never be measured again.
 */
const PACE_LIFETIME_MS = 10_000;

/**
 * A request of many digests may wait so many times as long as it will itself take: its own time is what its caller
 * expects, and with less, a client with two batches under way would be refused for ever.
 */
const BATCH_PATIENCE = 3;

/**
 * A client with nothing in the house may wait for as many digests as batches of others can put before it: with less, a client
 * that keeps full batches waiting would have single requests of the others refused for as long as it likes.
 */
const FIRST_PATIENCE = (BATCH_PATIENCE + 1) * MAX_DIGESTS;

/** What arrives in this time after nobody waited is a burst: longer than clients take to send what they have ready. */
const BURST_MS = 30;

/** Nothing may have been refused for so long before a burst: in an overload, a short pause is none. */
const CALM_MS = 1_000;

export type AdmissionOptions = {
  /** What a request may have to wait when requests keep coming. */
  readonly maxQueueMs: number;
  /** What a burst after a pause may have to wait. */
  readonly maxBurstMs: number;
};

/** Who wants to be taken in. */
export type Entrant = { readonly digests: number; readonly isFirst: boolean };

type Pace = {
  /** Between two digests of this purpose that leave the HSM while others wait. */
  intervalMs: number | undefined;
  measuredAt: number;
  /** The last completion, if others waited then. */
  completedAt: number | undefined;
  /** When nobody waited. */
  freeAt: number;
  refusedAt: number;
};

/**
 * Who is taken in: by the time that what is before it will take, at the pace at which this purpose's digests really
 * leave the HSM now. That counts everything: lanes, other purposes, kinds of keys, a processor that is short. One
 * execution may always be waited for: with less, a slow HSM's lanes would run empty between two requests.
 * Times are on the clock of `performance.now()`.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #paces = new Map<Purpose, Pace>();
  #executionMs = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * A digest has left the HSM, signed.
   * @param ahead how many of its purpose still wait for a lane
   */
  complete(purpose: Purpose, executionMs: number, ahead: number, now: number): void {
    this.#executionMs += (executionMs - this.#executionMs) * EXECUTION_WEIGHT;
    const pace = this.#getPace(purpose);
    // Also the last one for which others waited: completions come in groups, and only together they make the pace.
    if (pace.completedAt !== undefined) {
      const interval = now - pace.completedAt;
      pace.intervalMs = (pace.intervalMs ?? interval) * (1 - PACE_WEIGHT) + interval * PACE_WEIGHT;
      pace.measuredAt = now;
    }
    if (ahead === 0) pace.freeAt = now;
    pace.completedAt = ahead === 0 ? undefined : now;
  }

  /** A request of this purpose was turned away: what comes next is no burst after calm. */
  refuse(purpose: Purpose, now: number): void {
    this.#getPace(purpose).refusedAt = now;
  }

  /**
   * Whether another request of this purpose may come.
   * @param ahead how many of its purpose wait for a lane
   * @param lanes that work on them
   * @param digests of the request
   * @param isFirst whether its client has nothing else in the house
   */
  mayEnter(
    purpose: Purpose,
    { digests, isFirst }: Entrant,
    { ahead, lanes }: { readonly ahead: number; readonly lanes: number },
    now: number,
  ): boolean {
    const pace = this.#getPace(purpose);
    if (ahead === 0) {
      pace.freeAt = now;
      // Whoever waited has gone without a completion (a deadline, a dead process): the time until the next is no pace.
      pace.completedAt = undefined;
      return true;
    }
    const expectedMs = this.#executionMs / lanes;
    if (pace.intervalMs !== undefined && now - pace.measuredAt > PACE_LIFETIME_MS) {
      pace.intervalMs = expectedMs;
      pace.measuredAt = now;
    }
    const intervalMs = pace.intervalMs ?? expectedMs;
    const waitMs = ahead * intervalMs;
    const patience = isFirst ? FIRST_PATIENCE : BATCH_PATIENCE * (digests - 1);
    const batchMs = patience * intervalMs;
    if (waitMs <= Math.max(this.#options.maxQueueMs, this.#executionMs, batchMs)) return true;
    const isBurst = now - pace.freeAt <= BURST_MS && now - pace.refusedAt > CALM_MS;
    return isBurst && waitMs <= this.#options.maxBurstMs;
  }

  #getPace(purpose: Purpose): Pace {
    const known = this.#paces.get(purpose);
    if (known) return known;
    const pace: Pace = {
      intervalMs: undefined,
      measuredAt: 0,
      completedAt: undefined,
      freeAt: 0,
      refusedAt: -Infinity,
    };
    this.#paces.set(purpose, pace);
    return pace;
  }
}
