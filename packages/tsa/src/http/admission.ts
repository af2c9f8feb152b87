import { setTimeout as sleep } from 'node:timers/promises';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { ClientKeys } from './client-keys.ts';
import { toRateKey } from './rate-key.ts';

export type AdmissionRates = {
  /** Requests in a second. */
  readonly perAddress: number;
  readonly perClient: number;
  /** Wrong secrets in ten seconds from one address. */
  readonly failures: number;
};

/** Wrong secrets are counted over this time; short, so that what is remembered is bounded by what can arrive in it. */
const failureSeconds = 10;

/**
 * Whoever is too fast waits this long at most for the refusal, so that a flood comes as slowly as its connections allow
 * and doesn't take the event loop from seals.
 */
const maxPauseMs = 1000;

/** Refusals that wait, at most: as many as there are connections; what is pipelined beyond is refused at once. */
const maxPaused = 1000;

/** What the limits say about a request, for RateLimit-* headers. */
export type Admission = { readonly client: string | undefined; readonly rate: RateReport };
export type RateReport = { readonly limit: number; readonly remaining: number; readonly resetSeconds: number };

/** Decides who may ask on the public listener, and how often. What it remembers lasts a second, ten for wrong secrets. */
export class PublicAdmission {
  readonly #keys: ClientKeys | undefined;
  readonly #addresses: RateLimiterMemory;
  readonly #clients: RateLimiterMemory;
  readonly #failures: RateLimiterMemory;
  #paused = 0;

  /** @param keys undefined when anybody may ask */
  constructor(keys: ClientKeys | undefined, rates: AdmissionRates) {
    this.#keys = keys;
    this.#addresses = new RateLimiterMemory({ points: rates.perAddress, duration: 1 });
    this.#clients = new RateLimiterMemory({ points: rates.perClient, duration: 1 });
    this.#failures = new RateLimiterMemory({ points: rates.failures, duration: failureSeconds });
  }

  /** Throws `request_unauthenticated` or, after a pause, `request_rate_limited`. */
  async admit(address: string, authorization: string | undefined): Promise<Admission> {
    try {
      return await this.#decide(address, authorization);
    } catch (error) {
      if (isSigillumError(error, 'request_rate_limited') && this.#paused < maxPaused) await this.#pause(error);
      throw error;
    }
  }

  async #pause({ retryAfterSeconds = 1 }: SigillumError): Promise<void> {
    this.#paused += 1;
    await sleep(Math.min(retryAfterSeconds * 1000, maxPauseMs));
    this.#paused -= 1;
  }

  async #decide(address: string, authorization: string | undefined): Promise<Admission> {
    const from = toRateKey(address);
    const rate = await consume(this.#addresses, from);
    if (this.#keys === undefined) return { client: undefined, rate };
    const failed = await this.#failures.get(from);
    // Right or wrong: an answer would tell a guesser which it was.
    if (failed !== null && failed.remainingPoints <= 0) throw limited(failed);
    const client = this.#keys.authenticate(authorization);
    if (client !== undefined) return { client, rate: await consume(this.#clients, client) };
    if (authorization !== undefined) await consume(this.#failures, from);
    throw new SigillumError(
      'request_unauthenticated',
      'This service answers its clients: send Authorization: Bearer with your key, or Basic with name and key.',
    );
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<RateReport> {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(key);
    return { limit: limiter.points, remaining: remainingPoints, resetSeconds: Math.ceil(msBeforeNext / 1000) };
  } catch (rejection) {
    if (rejection instanceof RateLimiterRes) throw limited(rejection);
    throw rejection;
  }
}

function limited({ msBeforeNext }: RateLimiterRes): SigillumError {
  return new SigillumError('request_rate_limited', 'That is more than this service answers you. Slow down.', {
    retryAfterSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)),
  });
}
