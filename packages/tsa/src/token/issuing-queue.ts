import { SigillumError } from '@sigillum/errors';

/** Where a request came from; each has a queue of its own. */
export type ListenerName = 'public' | 'seals';

/** What an AbortSignal says, and what costs less to make for each of thousands of requests. */
export type Abort = { readonly aborted: boolean; readonly reason?: unknown };

/** The place of a batch among those in flight: results are recorded and given in the order in which batches began. */
export type Turn = {
  /** Resolves when the batch before has called {@link Turn.pass}. */
  readonly come: Promise<void>;
  /** To be called when nothing of this batch can come after something of the next any more. */
  pass(): void;
};

/** The second half of a batch's work: may run beside that of others, up to its turn. */
export type FinishBatch<Result> = (turn: Turn) => Promise<readonly (Result | Error)[]>;

export type QueueOptions<Request, Result> = {
  /** Requests that may wait, by listener. */
  readonly limits: Readonly<Record<ListenerName, number>>;
  /**
   * Begins a batch, one at a time and in order; what it gives answers the batch in its order. An error thrown by either
   * is the answer of all of it.
   */
  readonly begin: (batch: readonly Request[]) => Promise<FinishBatch<Result>>;
  /** Told how many a batch holds and how long the oldest waited. For metrics. */
  readonly onBatch?: (size: number, waitedMs: number) => void;
};

type Waiting<Request, Result> = {
  readonly listener: ListenerName;
  readonly request: Request;
  readonly since: number;
  readonly signal: Abort | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

/** As many as one signDigests call takes (api.md §3). */
const maxBatch = 100;

/** Of a full batch, what stays for the public listener while seals wait too, so that neither starves. */
const publicShare = 20;

/** Batches in flight, one place of them for seals alone: while some are signed, others are drafted, verified and recorded. */
export const maxBatchesInFlight = 5;

/** Requests in flight: below what the hash-signer takes of one client (400), so that our own load is never its overload. */
const maxInFlight = 300;

/**
 * Beside others a batch begins only with this many: each call has a price of its own, here and in the signer, and fewer
 * than fifty to pay it cost more than the wait of another saves.
 */
const minBeside = 50;

/**
 * What arrives while a batch is being signed shares the next one. Batches begin one after the other and are given in
 * that order, so no token's time is earlier than that of one given before; in between they overlap.
 */
export class IssuingQueue<Request, Result> {
  readonly #options: QueueOptions<Request, Result>;
  readonly #waiting: Record<ListenerName, Waiting<Request, Result>[]> = { public: [], seals: [] };
  #batches = 0;
  #requests = 0;
  /** Batches in flight that hold requests of seals. */
  #withSeals = 0;
  #isBeginning = false;
  #last: Promise<void> = Promise.resolve();
  #whenIdle = Promise.withResolvers<void>();

  constructor(options: QueueOptions<Request, Result>) {
    this.#options = options;
  }

  /** Throws `tsa_overloaded` at once when the listener's queue is full. */
  submit(listener: ListenerName, request: Request, signal?: Abort): Promise<Result> {
    const waiting = this.#waiting[listener];
    if (waiting.length >= this.#options.limits[listener]) {
      const full = new SigillumError('tsa_overloaded', 'Too many time-stamps are being asked for. Try again.', {
        retryAfterSeconds: 1,
      });
      return Promise.reject(full);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    waiting.push({ listener, request, since: performance.now(), signal, resolve, reject });
    this.#pump();
    return promise;
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async drain(): Promise<void> {
    while (this.#batches > 0 || this.#count() > 0) await this.#whenIdle.promise;
  }

  #count(): number {
    return this.#waiting.public.length + this.#waiting.seals.length;
  }

  #pump(): void {
    if (this.#isBeginning || !this.#mayBegin()) return;
    this.#isBeginning = true;
    this.#batches += 1;
    void this.#runBatch();
  }

  #mayBegin(): boolean {
    const [count, seals] = [this.#count(), this.#waiting.seals.length];
    if (count === 0 || this.#batches >= maxBatchesInFlight) return false;
    if (this.#batches === 0) return true;
    // A seal never waits for time-stamps of others: whatever the public listener gets, it only shares the processors.
    if (seals > 0 && this.#withSeals === 0) return true;
    if (seals === 0 && this.#batches >= maxBatchesInFlight - 1) return false;
    return Math.min(count, this.#findRoom(seals)) >= minBeside;
  }

  /** How many may begin; without seals among them the last full batch's worth stays free for seals. */
  #findRoom(seals: number): number {
    return Math.min(maxBatch, maxInFlight - this.#requests - (seals > 0 ? 0 : maxBatch));
  }

  async #runBatch(): Promise<void> {
    // Lets what arrived in this turn of the event loop join.
    await Promise.resolve();
    const batch = this.#take();
    const seals = batch.some(({ listener }) => listener === 'seals') ? 1 : 0;
    this.#requests += batch.length;
    this.#withSeals += seals;
    const { promise: passed, resolve: pass } = Promise.withResolvers<void>();
    const turn: Turn = { come: this.#last, pass };
    this.#last = passed;
    try {
      if (batch.length > 0) await this.#answer(batch, turn);
      else this.#isBeginning = false;
    } finally {
      // Also a batch that failed lets the next one go on, but not before those in front of it.
      void turn.come.then(pass);
      this.#batches -= 1;
      this.#requests -= batch.length;
      this.#withSeals -= seals;
      if (this.#batches === 0 && this.#count() === 0) {
        this.#whenIdle.resolve();
        this.#whenIdle = Promise.withResolvers<void>();
      }
      this.#pump();
    }
  }

  #take(): Waiting<Request, Result>[] {
    for (const name of ['public', 'seals'] as const) {
      if (!this.#waiting[name].some(({ signal }) => signal?.aborted)) continue;
      this.#waiting[name] = this.#waiting[name].filter(({ signal, reject }) => {
        if (signal?.aborted) reject(signal.reason);
        return !signal?.aborted;
      });
    }
    const room = this.#findRoom(this.#waiting.seals.length);
    const reserved = Math.min(publicShare, Math.floor(room / 5), this.#waiting.public.length);
    const batch = this.#waiting.seals.splice(0, room - reserved);
    batch.push(...this.#waiting.public.splice(0, room - batch.length));
    return batch;
  }

  async #answer(batch: readonly Waiting<Request, Result>[], turn: Turn): Promise<void> {
    const oldest = batch.reduce((least, { since }) => Math.min(least, since), Number.POSITIVE_INFINITY);
    this.#options.onBatch?.(batch.length, performance.now() - oldest);
    try {
      const finish = await this.#begin(batch);
      const results = await finish(turn);
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result === undefined) reject(new SigillumError('internal_error', 'A time-stamp has no answer.'));
        else if (Error.isError(result)) reject(result);
        else resolve(result);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #begin(batch: readonly Waiting<Request, Result>[]): Promise<FinishBatch<Result>> {
    try {
      return await this.#options.begin(batch.map(({ request }) => request));
    } finally {
      this.#isBeginning = false;
      this.#pump();
    }
  }
}
