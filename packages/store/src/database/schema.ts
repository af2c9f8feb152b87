import type { ColumnType, Generated } from 'kysely';

/** Sandbox or production; nothing of one can be read from the other. */
export type Mode = 'test' | 'live';

/** Whose row it is: part of every tenant table's keys. Ids are UUIDs in text form. */
export type Tenant = { readonly organisationId: string; readonly mode: Mode };

export type SealStatus = 'pending' | 'completed' | 'failed';
export type CredentialStatus = 'active' | 'suspended' | 'revoked';
export type SealLevel = 'b-t' | 'b-lt' | 'b-lta';
/** What a row of `seals` is: a document sealed, a digest sealed for a document that nobody saw, a sealed file extended. */
export type SealKind = 'seal' | 'digest' | 'extension';
/** A signature that a document had before, and what its digest and value said. */
export type EarlierSignature = {
  readonly field_name: string | null;
  readonly state: 'intact' | 'broken' | 'not-checked';
};

/** A signature that an extension could not extend, and why. */
export type LeftAloneSignature = { readonly field_name: string; readonly code: string; readonly detail: string };

type TenantColumns = { organisation_id: string; mode: Mode };
type InsertedOnce<T> = ColumnType<T, T, never>;

export type OrganisationTable = { id: string; name: string; created_at: Generated<Date> };

export type ApiKeyTable = TenantColumns & {
  id: string;
  name: string;
  /** The first characters of the key, shown to people. */
  prefix: string;
  /** HMAC-SHA-256 of the key with the pepper; 32 bytes. */
  hash: Uint8Array;
  scopes: string[];
  created_at: Generated<Date>;
  revoked_at: Date | null;
};

export type CredentialTable = TenantColumns & {
  id: string;
  name: string;
  key_id: string;
  algorithm: string;
  certificate: Uint8Array;
  chain: Uint8Array[];
  status: CredentialStatus;
  is_default: boolean;
  created_at: Generated<Date>;
  changed_at: Generated<Date>;
};

export type SealTable = TenantColumns & {
  id: string;
  kind: Generated<SealKind>;
  status: SealStatus;
  credential_id: string | null;
  level: SealLevel;
  request_id: string;
  /** The configured name of the service instance, and the one process of it that works on the seal. */
  instance: string;
  process: string;
  document_size: number | null;
  document_sha256: Uint8Array | null;
  /** Of the ByteRange, where that is all that was sent. */
  digest_algorithm: string | null;
  digest: Uint8Array | null;
  /** The level that an extended file had. */
  from_level: string | null;
  created_at: Date;
  signing_time: Date | null;
  gen_time: Date | null;
  time_stamp_serial: string | null;
  field_name: string | null;
  earlier_signatures: number | null;
  earlier_signature_states: ColumnType<readonly EarlierSignature[] | null, string | null, string | null>;
  left_alone: ColumnType<readonly LeftAloneSignature[] | null, string | null, string | null>;
  document_time_stamp_time: Date | null;
  document_time_stamp_serial: string | null;
  /** A document time-stamp that was given on its own, and the digest it is for; kept as long as the increment. */
  given_token: Uint8Array | null;
  given_token_digest: Uint8Array | null;
  sealed_size: number | null;
  sealed_sha256: Uint8Array | null;
  increment_sha256: Uint8Array | null;
  increment_expires_at: Date | null;
  /** The whole sealed file, while it is kept; the time stays when it is gone. */
  retained_sha256: Uint8Array | null;
  retained_expires_at: Date | null;
  finished_at: Date | null;
  failure_code: string | null;
  failure_detail: string | null;
};

/** A 4xx outcome as it is answered again. */
export type StoredProblem = {
  readonly code: string;
  readonly detail: string;
  readonly fields: readonly { readonly pointer: string; readonly detail: string }[];
};

export type IdempotencyKeyTable = TenantColumns & {
  route: string;
  key: string;
  fingerprint: Uint8Array;
  state: 'in_flight' | 'done';
  seal_id: string;
  problem: ColumnType<StoredProblem | null, string | null, string | null>;
  created_at: Date;
  expires_at: Date;
};

export type EventTable = {
  organisation_id: InsertedOnce<string>;
  mode: InsertedOnce<Mode>;
  id: InsertedOnce<string>;
  type: InsertedOnce<string>;
  occurred_at: InsertedOnce<Date>;
  /** RFC 8785 JSON. */
  bytes: InsertedOnce<Uint8Array>;
};

export type EventChainTable = {
  organisation_id: InsertedOnce<string>;
  mode: InsertedOnce<Mode>;
  sequence: InsertedOnce<number>;
  event_id: InsertedOnce<string>;
  previous: InsertedOnce<Uint8Array>;
  hash: InsertedOnce<Uint8Array>;
};

export type UnchainedEventTable = TenantColumns & { event_id: string; inserted_at: Generated<Date> };

export type UsageRecordTable = {
  organisation_id: InsertedOnce<string>;
  mode: InsertedOnce<Mode>;
  seal_id: InsertedOnce<string>;
  kind: InsertedOnce<SealKind>;
  level: InsertedOnce<SealLevel>;
  occurred_at: InsertedOnce<Date>;
};

export type RateLimitTable = { key: string; points: number; expire: number | null };

export type DatabaseSchema = {
  organisations: OrganisationTable;
  api_keys: ApiKeyTable;
  credentials: CredentialTable;
  seals: SealTable;
  idempotency_keys: IdempotencyKeyTable;
  events: EventTable;
  event_chain: EventChainTable;
  unchained_events: UnchainedEventTable;
  usage_records: UsageRecordTable;
  rate_limits: RateLimitTable;
  /** The migrator's own table, read by {@link assertSchemaCurrent}. */
  kysely_migration: { name: string; timestamp: string };
};
