import { isSigillumError, type SigillumError } from '@sigillum/errors';

/** What is remembered: a value with its weight in bytes. */
export type Piece = { readonly bytes: number };

export type PieceCacheOptions = {
  /** Of all values together; beyond it the longest unused go. */
  readonly maxBytes: number;
  /** How long a failure is remembered. */
  readonly negativeMs: number;
  readonly now: () => Date;
};

/** Entries at most, failures included: a bound for keys that somebody else chooses. */
const maxEntries = 2000;

/** Failures that say something about who asked, not about what was asked for: nobody else is to suffer from them. */
const ownLimits = ['revocation_unavailable'] as const;

type Entry<T> = { readonly value: T } | { readonly error: SigillumError; readonly until: number };

/**
 * Remembers what was fetched and verified, and for a moment what failed. Those who ask for the same at the same time wait
 * for one fetch; who gives up doesn't end it for the others.
 */
export class PieceCache<T extends Piece> {
  readonly #options: PieceCacheOptions;
  /** Longest unused first. */
  readonly #entries = new Map<string, Entry<T>>();
  readonly #flights = new Map<string, Promise<T>>();
  #bytes = 0;

  constructor(options: PieceCacheOptions) {
    this.#options = options;
  }

  /** A remembered value that `isUsable`, else what `load` gives, whether it is usable or not. */
  async get(
    key: string,
    isUsable: (value: T) => boolean,
    load: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const entry = this.#entries.get(key);
    if (entry) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      if ('value' in entry && isUsable(entry.value)) return entry.value;
      if ('error' in entry && entry.until > this.#options.now().getTime()) throw entry.error;
    }
    const joined = await this.#join(key, signal);
    // A fetch that had begun before may be too old for who asks now.
    if (joined && isUsable(joined)) return joined;
    return untilAborted(this.#flights.get(key) ?? this.#start(key, load), signal);
  }

  /** What somebody else is fetching just now; undefined when nobody is, or when their own limit ended it. */
  async #join(key: string, signal: AbortSignal | undefined): Promise<T | undefined> {
    const flight = this.#flights.get(key);
    if (!flight) return undefined;
    try {
      return await untilAborted(flight, signal);
    } catch (error) {
      if (!isSigillumError(error, ...ownLimits)) throw error;
      return undefined;
    }
  }

  #start(key: string, load: () => Promise<T>): Promise<T> {
    const flight = load().then(
      (value) => {
        this.#remember(key, { value });
        return value;
      },
      (error: unknown) => {
        if (isSigillumError(error) && !isSigillumError(error, ...ownLimits)) {
          this.#remember(key, { error, until: this.#options.now().getTime() + this.#options.negativeMs });
        }
        throw error;
      },
    );
    this.#flights.set(key, flight);
    const land = (): void => {
      this.#flights.delete(key);
    };
    flight.then(land, land);
    return flight;
  }

  #remember(key: string, entry: Entry<T>): void {
    this.#forget(key);
    this.#entries.set(key, entry);
    if ('value' in entry) this.#bytes += entry.value.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#options.maxBytes && this.#entries.size <= maxEntries) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    if ('value' in entry) this.#bytes -= entry.value.bytes;
    this.#entries.delete(key);
  }
}

async function untilAborted<T>(flight: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return flight;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([flight, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
