import { SigillumError } from '@sigillum/errors';
import { latestMigration } from '../migrations/migrations.ts';
import type { Database } from './open-database.ts';

/**
 * Asks the database for its newest migration: the readiness check of a service.
 * @throws SigillumError `database_schema_outdated`, `database_unavailable`
 */
export async function assertSchemaCurrent(db: Database): Promise<void> {
  const newest = await findNewestMigration(db);
  // A newer schema is fine: during a roll-out the migration runs before the old instances stop.
  if (newest === undefined || newest < latestMigration) {
    throw new SigillumError(
      'database_schema_outdated',
      'The database has to be migrated first: run the migrate command.',
    );
  }
}

async function findNewestMigration(db: Database): Promise<string | undefined> {
  try {
    const row = await db
      .selectFrom('kysely_migration')
      .select('name')
      .orderBy('name', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.name;
  } catch (error) {
    if (error instanceof SigillumError) throw error;
    // No such table, or not granted yet: nobody has migrated.
    return undefined;
  }
}
