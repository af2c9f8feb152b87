// database
export { assertSchemaCurrent } from './database/assert-schema-current.ts';
export { defaultApplicationRole, migrate, type MigrateOptions } from './database/migrate.ts';
export {
  type Database,
  type DatabaseOptions,
  type Executor,
  inTransaction,
  openDatabase,
} from './database/open-database.ts';
export { createRateLimitClient, type RateLimitClient } from './database/rate-limit-client.ts';
export type {
  CredentialStatus,
  EarlierSignature,
  LeftAloneSignature,
  Mode,
  SealKind,
  SealLevel,
  SealStatus,
  StoredProblem,
  Tenant,
} from './database/schema.ts';
// ids
export { encodeId, findUuid, type IdPrefix } from './ids/public-id.ts';
export { createUuid } from './ids/uuid-v7.ts';
// journal
export { appendEvent, type EventEntry } from './journal/append-event.ts';
export { chainEvents } from './journal/chain-events.ts';
export { getEventChainId } from './journal/event-chain-id.ts';
export { type JournalReport, verifyEvents } from './journal/verify-events.ts';
// repositories
export { type ApiKey, ensureApiKey, findApiKey, hashApiKey } from './repositories/api-keys.ts';
export {
  type Credential,
  type CredentialInput,
  ensureCredential,
  findCredential,
  findDefaultCredential,
  listCredentials,
  setCredentialStatus,
  setDefaultCredential,
} from './repositories/credentials.ts';
export {
  findIdempotencyKey,
  freeIdempotencyKey,
  type IdempotencyRecord,
  type IdempotencyScope,
  idempotencyLifetimeMs,
  settleIdempotencyKey,
  takeIdempotencyKey,
} from './repositories/idempotency-keys.ts';
export { ensureOrganisation } from './repositories/organisations.ts';
export type { Seal, SealFailure, SealOutcome } from './repositories/seal.ts';
export {
  completeSeal,
  failSeal,
  findSeal,
  giveDocumentTimeStamp,
  insertSeal,
  listSeals,
  type SealIntent,
  type SealKeeping,
  type SealKey,
} from './repositories/seals.ts';
export { sweepBlobs, sweepReplays } from './repositories/sweep-replays.ts';
export { type SweepOptions, type SweptSeal, sweepSeals } from './repositories/sweep-seals.ts';
export { insertUsageRecord } from './repositories/usage-records.ts';
// blobs
export type { BlobReader, BlobStore, StoredBlob } from './blobs/blob-store.ts';
export { toStorageError, withStorageErrors } from './blobs/storage-error.ts';
export { openBlobStore } from './blobs/open-blob-store.ts';
// embedded PostgreSQL
export type { DatabaseRole } from './postgres/database-passwords.ts';
export { type EmbeddedPostgres, type StartPostgresOptions, startPostgres } from './postgres/start-postgres.ts';
export { startTestPostgres } from './postgres/start-test-postgres.ts';
