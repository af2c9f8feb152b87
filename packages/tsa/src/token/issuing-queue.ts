import { SigillumError } from '@sigillum/errors';

/** Where a request came from; each has a queue of its own. */
export type ListenerName = 'public' | 'seals';

export type QueueOptions<Request, Result> = {
  /** Requests that may wait, by listener. */
  readonly limits: Readonly<Record<ListenerName, number>>;
  /** Answers a batch in its order; a thrown error is the answer of all of it. */
  readonly issue: (batch: readonly Request[]) => Promise<readonly (Result | Error)[]>;
  /** Told how many a batch holds and how long the oldest waited. For metrics. */
  readonly onBatch?: (size: number, waitedMs: number) => void;
};

type Waiting<Request, Result> = {
  readonly request: Request;
  readonly since: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

/** As many as one signDigests call takes (api.md §3). */
const maxBatch = 100;

/** Of a full batch, what stays for the public listener while seals wait too, so that neither starves. */
const publicShare = 20;

/**
 * One batch after the other: what arrives while one is being signed shares the next call. Since no two batches overlap,
 * the time of a batch is never earlier than one that has been given already.
 */
export class IssuingQueue<Request, Result> {
  readonly #options: QueueOptions<Request, Result>;
  readonly #waiting: Record<ListenerName, Waiting<Request, Result>[]> = { public: [], seals: [] };
  #running: Promise<void> | undefined;

  constructor(options: QueueOptions<Request, Result>) {
    this.#options = options;
  }

  /** Throws `tsa_overloaded` at once when the listener's queue is full. */
  submit(listener: ListenerName, request: Request, signal?: AbortSignal): Promise<Result> {
    const waiting = this.#waiting[listener];
    if (waiting.length >= this.#options.limits[listener]) {
      const full = new SigillumError('tsa_overloaded', 'Too many time-stamps are being asked for. Try again.', {
        retryAfterSeconds: 1,
      });
      return Promise.reject(full);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    waiting.push({ request, since: performance.now(), signal, resolve, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when nothing waits and nothing runs. */
  async drain(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Lets what arrived in this turn of the event loop join the first batch.
    await Promise.resolve();
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#answer(batch);
    this.#running = undefined;
  }

  #take(): Waiting<Request, Result>[] {
    for (const name of ['public', 'seals'] as const) {
      this.#waiting[name] = this.#waiting[name].filter(({ signal, reject }) => {
        if (signal?.aborted) reject(signal.reason);
        return !signal?.aborted;
      });
    }
    const reserved = Math.min(publicShare, this.#waiting.public.length);
    const batch = this.#waiting.seals.splice(0, maxBatch - reserved);
    batch.push(...this.#waiting.public.splice(0, maxBatch - batch.length));
    return batch;
  }

  async #answer(batch: readonly Waiting<Request, Result>[]): Promise<void> {
    const oldest = Math.min(...batch.map(({ since }) => since));
    this.#options.onBatch?.(batch.length, performance.now() - oldest);
    try {
      const results = await this.#options.issue(batch.map(({ request }) => request));
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
}
