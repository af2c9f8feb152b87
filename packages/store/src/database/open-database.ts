import { readFile } from 'node:fs/promises';
import { Kysely, PostgresDialect } from 'kysely';
import { Pool, TypeOverrides } from 'pg';
import { parseDatabaseUrl } from './parse-database-url.ts';
import type { DatabaseSchema } from './schema.ts';
import { createTypedPool } from './typed-pool.ts';

/** A pool of connections; `destroy()` closes it. */
export type Database = Kysely<DatabaseSchema>;

/** The pool itself or one transaction: what every repository function takes first. */
export type Executor = Pick<Database, 'selectFrom' | 'insertInto' | 'updateTable' | 'deleteFrom' | 'getExecutor'>;

export type DatabaseOptions = {
  /** `postgresql://user@host/database`, or `postgresql://user@/database?host=/socket/folder`; no password in it. */
  readonly url: string;
  /** Read again for each new connection, so that a rotated password needs no restart. */
  readonly passwordFile?: string;
  /** Connections of this process; more work than connections waits at most {@link connectTimeoutMs}. */
  readonly maxConnections?: number;
  /** For migrations: replaces the limits below on statements and locks, in milliseconds. */
  readonly patienceMs?: number;
  /** Told of connections that break while nobody uses them; the pool replaces them by itself. */
  readonly onIdleError?: (error: Error) => void;
};

/** A seal's three short transactions share ten connections among a hundred seals with room to spare. */
const defaultMaxConnections = 10;

/** Waiting longer for a connection only lengthens a queue that the caller no longer waits for. */
const connectTimeoutMs = 5_000;

/** Every statement of ours is a look-up or a write of a few rows. */
const statementTimeoutMs = 10_000;

/** Longer than the server's own limit, so that the server normally speaks first. */
const queryTimeoutMs = 15_000;

/** No transaction of ours waits for anything outside the database. */
const idleInTransactionTimeoutMs = 10_000;

/** Rows are held for one short transaction. */
const lockTimeoutMs = 5_000;

/** `int8`: sizes and sequence numbers, all far below 2^53. */
const int8 = 20;

/** Opens a pool; connects when first used. */
export function openDatabase(options: DatabaseOptions): Database {
  const { passwordFile } = options;
  const types = new TypeOverrides();
  types.setTypeParser(int8, Number);
  const pool = new Pool({
    ...parseDatabaseUrl(options.url),
    ...(passwordFile === undefined ? {} : { password: () => readPassword(passwordFile) }),
    max: options.maxConnections ?? defaultMaxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: options.patienceMs ?? statementTimeoutMs,
    query_timeout: options.patienceMs ?? queryTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    lock_timeout: options.patienceMs ?? lockTimeoutMs,
    application_name: 'sigillum',
    types,
  });
  // Without a listener, a connection that breaks while idle would end the process.
  pool.on('error', (error) => options.onIdleError?.(error));
  return new Kysely<DatabaseSchema>({ dialect: new PostgresDialect({ pool: createTypedPool(pool) }) });
}

/** Runs one step's work in one transaction: all of it is there afterwards, or nothing. */
export function inTransaction<T>(db: Database, work: (transaction: Executor) => Promise<T>): Promise<T> {
  return db.transaction().execute(work);
}

async function readPassword(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replace(/[\r\n]+$/, '');
}
