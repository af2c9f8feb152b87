import { CompiledQuery } from 'kysely';
import type { Database } from './open-database.ts';

/** What rate-limiter-flexible asks of a client of pg. */
export type RateLimitClient = {
  query(query: { readonly text: string; readonly values?: readonly unknown[] }): Promise<{ readonly rows: unknown[] }>;
};

/** The pool in the form in which rate-limiter-flexible takes a client of pg; its table is `rate_limits`. */
export function createRateLimitClient(db: Database): RateLimitClient {
  return {
    query: ({ text, values = [] }) => db.executeQuery<unknown>(CompiledQuery.raw(text, [...values])),
  };
}
