import { SigillumError } from '@sigillum/errors';
import { createRateLimitClient, type Database } from '@sigillum/store';
import type { ServerResponse } from 'node:http';
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config } from '../config.ts';

/** Counts the calls of API keys. */
export type RateLimiter = {
  /**
   * Counts one call and says in `RateLimit-*` what is left.
   * @throws SigillumError `request_rate_limited` with the time until the window ends
   */
  count(apiKeyId: string, response: ServerResponse): Promise<void>;
};

/**
 * Fixed windows per API key, in memory or in the database. When the database can't be asked, memory counts: the call itself
 * will say that the database is away.
 */
export function createRateLimiter(config: Config['rate_limit'], db: Database): RateLimiter {
  const { requests: points, per_s: duration, store } = config;
  const memory = new RateLimiterMemory({ keyPrefix: 'api-key', points, duration });
  const limiter =
    store === 'memory'
      ? memory
      : new RateLimiterPostgres({
          storeClient: createRateLimitClient(db),
          storeType: 'client',
          tableName: 'rate_limits',
          tableCreated: true,
          keyPrefix: 'api-key',
          points,
          duration,
          insuranceLimiter: memory,
        });
  return {
    async count(apiKeyId, response) {
      try {
        describe(response, points, await limiter.consume(apiKeyId));
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        describe(response, points, refused);
        throw new SigillumError(
          'request_rate_limited',
          `This API key may call ${points} times in ${duration} seconds. Wait until the window ends.`,
          { retryAfterSeconds: secondsLeft(refused) },
        );
      }
    },
  };
}

/** The three headers as clients know them (draft-ietf-httpapi-ratelimit-headers-05). */
function describe(response: ServerResponse, limit: number, state: RateLimiterRes): void {
  response.setHeader('RateLimit-Limit', limit);
  response.setHeader('RateLimit-Remaining', Math.max(0, state.remainingPoints));
  response.setHeader('RateLimit-Reset', secondsLeft(state));
}

function secondsLeft({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1000));
}
