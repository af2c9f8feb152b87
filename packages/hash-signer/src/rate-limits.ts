import { SigillumError } from '@sigillum/errors';
import { MAX_DIGESTS, type Purpose } from '@sigillum/signer-rpc';
import type { RateConfig } from './config.ts';

type LimitedKey = { readonly keyId: string; readonly name: string; readonly purpose: Purpose };

type Usage = { tokens: number; filledAt: number; readonly signed: Map<string, number> };

/** Days that are remembered: a clock that is set forward and back again finds the count of the day it left. */
const MAX_DAYS = 8;

const SECONDS_PER_DAY = 86_400;

/** A full batch fits at some time, unless the configuration says otherwise. */
const burstOf = ({ burst, per_second }: RateConfig): number =>
  burst ?? Math.max(MAX_DIGESTS, Math.ceil(per_second ?? 0));

const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

/**
 * How often each key may be used: digests a second (a bucket that fills) and signatures a UTC day. Kept in memory;
 * the day's count is taken from the audit log at a start, so that a restart gives nobody a second day.
 */
export class RateLimits {
  #rates: readonly RateConfig[];
  readonly #usage = new Map<string, Usage>();
  readonly #now: () => number;
  readonly #steady: () => number;

  /**
   * @param now the wall clock, for days
   * @param steady a clock that nobody sets, for seconds
   */
  constructor(
    rates: readonly RateConfig[],
    now: () => number = Date.now,
    steady: () => number = () => performance.now(),
  ) {
    this.#rates = rates;
    this.#now = now;
    this.#steady = steady;
  }

  /** Takes a new configuration; what was used stays used. */
  replace(rates: readonly RateConfig[]): void {
    this.#rates = rates;
  }

  /** Whether any key has a daily limit, for which the day's signatures have to be counted at a start. */
  get hasDailyLimits(): boolean {
    return this.#rates.some(({ per_day }) => per_day !== undefined);
  }

  /** A signature of today that was made before this process started. */
  countEarlier(keyId: string): void {
    this.#count(this.#getUsage(keyId, undefined), 1);
  }

  /**
   * Takes the room for digests of one key, all or none.
   * @throws `signer_rate_exceeded`, `signer_daily_limit_reached`, with the time after which it can succeed;
   * `signer_batch_too_large` when it never can
   */
  take(key: LimitedKey, count: number): void {
    const rate = this.#findRate(key);
    const most = Math.min(rate?.per_day ?? Infinity, rate?.per_second === undefined ? Infinity : burstOf(rate));
    if (count > most) {
      const message = `The key ${key.name} takes ${most} digests at once at most: send fewer.`;
      const fields = [{ pointer: '/digests', detail: `At most ${most}.` }];
      throw new SigillumError('signer_batch_too_large', message, { fields });
    }
    // Counted in any case: a reload may bring a limit.
    const usage = this.#getUsage(key.keyId, rate);
    const signedToday = usage.signed.get(dayOf(this.#now())) ?? 0;
    if (rate?.per_day !== undefined && signedToday + count > rate.per_day) {
      const retryAfterSeconds = SECONDS_PER_DAY - (Math.floor(this.#now() / 1000) % SECONDS_PER_DAY);
      const message = `The key ${key.name} makes ${rate.per_day} signatures a day.`;
      throw new SigillumError('signer_daily_limit_reached', message, { retryAfterSeconds });
    }
    if (rate?.per_second !== undefined && usage.tokens < count) {
      const retryAfterSeconds = Math.max(1, Math.ceil((count - usage.tokens) / rate.per_second));
      const message = `The key ${key.name} takes ${rate.per_second} digests a second.`;
      throw new SigillumError('signer_rate_exceeded', message, { retryAfterSeconds });
    }
    usage.tokens -= count;
    this.#count(usage, count);
  }

  /** Of the digests taken, so many were not signed: neither the second nor the day has them. */
  giveBack(key: LimitedKey, count: number): void {
    const usage = this.#usage.get(key.keyId);
    if (!usage) return;
    const rate = this.#findRate(key);
    usage.tokens = Math.min(rate ? burstOf(rate) : Infinity, usage.tokens + count);
    // Taken yesterday, they are not in today's count.
    if (usage.signed.has(dayOf(this.#now()))) this.#count(usage, -count);
  }

  #count({ signed }: Usage, count: number): void {
    const day = dayOf(this.#now());
    signed.set(day, Math.max(0, (signed.get(day) ?? 0) + count));
    const [oldest] = signed.keys();
    if (signed.size > MAX_DAYS && oldest !== undefined) signed.delete(oldest);
  }

  #findRate({ keyId, purpose }: LimitedKey): RateConfig | undefined {
    return this.#rates.find(({ key_id }) => key_id === keyId) ?? this.#rates.find((rate) => rate.purpose === purpose);
  }

  #getUsage(keyId: string, rate: RateConfig | undefined): Usage {
    const now = this.#steady();
    let usage = this.#usage.get(keyId);
    if (!usage) {
      usage = { tokens: Infinity, filledAt: now, signed: new Map() };
      this.#usage.set(keyId, usage);
    }
    const seconds = (now - usage.filledAt) / 1000;
    // Without a rate nothing is used up.
    usage.tokens =
      rate?.per_second === undefined ? Infinity : Math.min(burstOf(rate), usage.tokens + seconds * rate.per_second);
    usage.filledAt = now;
    return usage;
  }
}
