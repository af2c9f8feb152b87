import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Extensions name the signatures that could not be extended. */
export const leftAloneMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table seals add column left_alone jsonb`.execute(db);
  },
};
