import { SigillumError } from '@sigillum/errors';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { Pool, PoolClient } from 'pg';

/** SQLSTATE classes of a server that is away, full or shutting down (PostgreSQL manual, appendix A). */
const unavailableClasses = new Set(['08', '53', '57', '58']);

/** `lock_not_available`: somebody else holds a row for longer than our lock time-out. */
const lockNotAvailable = '55P03';

/** What Node's sockets say when nobody listens. */
const socketCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EACCES', 'EAI_AGAIN']);

/** pg has no code for a connection that ended, a pool that stays full, and its own query time-out. */
const codelessMessage = /^(Connection terminated|timeout exceeded when|timeout expired|Query read timeout|Client )/;

/** Seconds after which a restarted PostgreSQL usually answers again. */
const retryAfterSeconds = 2;

/** A pool for kysely whose errors of a lost, full or missing server are `database_unavailable`. */
export function createTypedPool(pool: Pool): PostgresPool {
  const wrappers = new WeakMap<PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    connect: () =>
      typed(async () => {
        const client = await pool.connect();
        const wrapper = wrappers.get(client) ?? wrap(client);
        wrappers.set(client, wrapper);
        return wrapper;
      }),
    end: () => pool.end(),
  };
}

function wrap(client: PoolClient): PostgresPoolClient {
  // A connection that breaks while it is lent out also emits; the query that runs on it, or the next, tells the caller.
  client.on('error', () => {});
  const query = (sql: string, parameters: readonly unknown[]): Promise<unknown> =>
    typed(() => client.query(sql, [...parameters]));
  // Only texts are queried: without a `cursor` in its configuration kysely never sends another kind.
  return { query: query as PostgresPoolClient['query'], release: (destroy) => client.release(destroy) };
}

async function typed<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (!isUnavailable(cause)) throw cause;
    throw new SigillumError('database_unavailable', 'The database does not answer. Try again in a moment.', {
      cause,
      retryAfterSeconds,
    });
  }
}

function isUnavailable(error: unknown): boolean {
  if (!Error.isError(error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined) return codelessMessage.test(error.message);
  if (code.length === 5 && (unavailableClasses.has(code.slice(0, 2)) || code === lockNotAvailable)) return true;
  return socketCodes.has(code);
}
