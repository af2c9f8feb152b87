import { defineCodes } from '../code-definition.ts';

/** Codes of database and blobs. */
export const storeCodes = defineCodes({
  database_unavailable: { status: 503, title: 'The database is not available' },
  database_schema_outdated: { status: 503, title: 'The database has not been migrated' },
  database_start_failed: { status: 503, title: 'The embedded PostgreSQL did not start' },
  database_migration_failed: { status: 500, title: 'A database migration failed' },
  blob_missing: { status: 500, title: 'A stored file is missing' },
  blob_damaged: { status: 500, title: 'A stored file is damaged' },
  storage_full: { status: 503, title: 'There is no room for files' },
  storage_unavailable: { status: 503, title: 'Files can not be stored' },
});
