import { SigillumError } from '@sigillum/errors';
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from '../migrations/migrations.ts';
import { grants } from './grants.ts';
import { type Database, type DatabaseOptions, openDatabase } from './open-database.ts';

/** The application's role unless configured otherwise. */
export const defaultApplicationRole = 'sigillum_app';

/** A migration may rewrite a large table, and waits for another process's migration to end. */
const patienceMs = 600_000;

export type MigrateOptions = Pick<DatabaseOptions, 'url' | 'passwordFile'> & {
  /** Role that serves requests. It must exist, and must not be the one that migrates. */
  readonly applicationRole?: string;
};

/**
 * Brings the schema up to date as its owner and sets the application's grants anew. Safe to run at every start and
 * by several processes at once: kysely's migrator holds an advisory lock.
 *
 * @returns the names of the migrations that ran now
 * @throws SigillumError `database_migration_failed`, `database_unavailable`
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const role = options.applicationRole ?? defaultApplicationRole;
  const db = openDatabase({ url: options.url, maxConnections: 1, patienceMs, ...withPassword(options) });
  try {
    await assertRole(db, role);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
    const { error, results } = await migrator.migrateToLatest();
    if (error !== undefined) throw asFailure(error);
    await applyGrants(db, role);
    return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
  } catch (cause) {
    throw asFailure(cause);
  } finally {
    await db.destroy();
  }
}

function asFailure(cause: unknown): SigillumError {
  if (cause instanceof SigillumError) return cause;
  const message = 'The database could not be migrated; the cause is in the log.';
  return new SigillumError('database_migration_failed', message, { cause });
}

function withPassword({ passwordFile }: MigrateOptions): { passwordFile?: string } {
  return passwordFile === undefined ? {} : { passwordFile };
}

/** An owner could undo its own revocations: the application's role has to be another one, and no superuser. */
async function assertRole(db: Database, role: string): Promise<void> {
  const { rows } = await sql<{ rolsuper: boolean; is_self: boolean }>`
    select rolsuper, rolname = current_user as is_self from pg_roles where rolname = ${role}`.execute(db);
  const found = rows[0];
  if (found === undefined) {
    throw new SigillumError(
      'database_migration_failed',
      `The role ${role} does not exist: create it with LOGIN first.`,
    );
  }
  if (found.rolsuper || found.is_self) {
    throw new SigillumError(
      'database_migration_failed',
      `The role ${role} serves requests: it must be neither a superuser nor the role that migrates.`,
    );
  }
}

async function applyGrants(db: Database, role: string): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    // Grants are rows of the catalogue: two processes that write them at once would fail.
    await sql`select pg_advisory_xact_lock(hashtextextended('sigillum grants', 0))`.execute(transaction);
    const to = sql.id(role);
    await sql`revoke all on all tables in schema public from ${to}`.execute(transaction);
    await sql`revoke create on schema public from ${to}`.execute(transaction);
    await sql`grant usage on schema public to ${to}`.execute(transaction);
    for (const [table, privileges] of Object.entries(grants)) {
      await sql`grant ${sql.raw(privileges.join(', '))} on table ${sql.id(table)} to ${to}`.execute(transaction);
    }
  });
}
