import type { Migration } from 'kysely/migration';
import { sealsMigration } from './0001-seals.ts';
import { levelsMigration } from './0002-levels.ts';
import { leftAloneMigration } from './0003-left-alone.ts';

/** Every migration by its name, in order. One that has been released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-seals': sealsMigration,
  '0002-levels': levelsMigration,
  '0003-left-alone': leftAloneMigration,
};

/** The newest migration: what {@link assertSchemaCurrent} asks for. */
export const latestMigration = Object.keys(migrations).sort().at(-1) ?? '';
