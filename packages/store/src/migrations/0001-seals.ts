import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const modes = sql.raw(`check (mode in ('test', 'live'))`);
const tenant = sql`organisation_id uuid not null references organisations (id), mode text not null ${modes}`;

/** Organisations, keys, credentials, seals, idempotency, journal and usage. */
export const sealsMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create table organisations (
      id uuid primary key,
      name text not null unique check (length(name) between 1 and 200),
      created_at timestamptz not null default now()
    )`.execute(db);

    await sql`create table api_keys (
      ${tenant},
      id uuid not null,
      name text not null check (length(name) between 1 and 200),
      prefix text not null check (length(prefix) <= 16),
      hash bytea not null check (octet_length(hash) = 32),
      scopes text[] not null,
      created_at timestamptz not null default now(),
      revoked_at timestamptz,
      primary key (organisation_id, mode, id),
      -- the hash leads: a key is looked up before anybody knows whose it is
      unique (hash, organisation_id, mode)
    )`.execute(db);

    await sql`create table credentials (
      ${tenant},
      id uuid not null,
      name text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
      key_id text not null check (key_id ~ '^[0-9a-f]{32}$'),
      algorithm text not null,
      certificate bytea not null,
      chain bytea[] not null,
      status text not null check (status in ('active', 'suspended', 'revoked')),
      is_default boolean not null,
      created_at timestamptz not null default now(),
      changed_at timestamptz not null default now(),
      primary key (organisation_id, mode, id),
      unique (organisation_id, mode, name)
    )`.execute(db);
    await sql`create unique index credentials_one_default on credentials (organisation_id, mode) where is_default`.execute(
      db,
    );

    await sql`create table seals (
      ${tenant},
      id uuid not null,
      status text not null check (status in ('pending', 'completed', 'failed')),
      credential_id uuid not null,
      level text not null check (level in ('b-t', 'b-lt', 'b-lta')),
      request_id text not null,
      instance text not null,
      process uuid not null,
      document_size bigint not null check (document_size >= 0),
      document_sha256 bytea not null check (octet_length(document_sha256) = 32),
      created_at timestamptz not null,
      signing_time timestamptz,
      gen_time timestamptz,
      time_stamp_serial text,
      field_name text,
      earlier_signatures integer,
      sealed_size bigint,
      sealed_sha256 bytea check (octet_length(sealed_sha256) = 32),
      increment_sha256 bytea check (octet_length(increment_sha256) = 32),
      increment_expires_at timestamptz,
      finished_at timestamptz,
      failure_code text,
      failure_detail text,
      primary key (organisation_id, mode, id),
      foreign key (organisation_id, mode, credential_id) references credentials (organisation_id, mode, id),
      check ((status = 'pending') = (finished_at is null)),
      check ((status = 'failed') = (failure_code is not null)),
      check (status <> 'completed' or (signing_time is not null and gen_time is not null
        and sealed_size > document_size and sealed_sha256 is not null and time_stamp_serial is not null)),
      check ((increment_sha256 is null) = (increment_expires_at is null))
    )`.execute(db);
    await sql`create index seals_pending on seals (created_at) where status = 'pending'`.execute(db);
    await sql`create index seals_increments on seals (increment_sha256) where increment_sha256 is not null`.execute(db);
    await sql`create index seals_increment_expiry on seals (increment_expires_at) where increment_sha256 is not null`.execute(
      db,
    );

    await sql`create table idempotency_keys (
      ${tenant},
      route text not null,
      key text not null check (length(key) between 1 and 255),
      fingerprint bytea not null check (octet_length(fingerprint) = 32),
      state text not null check (state in ('in_flight', 'done')),
      seal_id uuid not null,
      problem jsonb,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      primary key (organisation_id, mode, route, key),
      foreign key (organisation_id, mode, seal_id) references seals (organisation_id, mode, id),
      check (state = 'done' or problem is null)
    )`.execute(db);
    await sql`create index idempotency_keys_expiry on idempotency_keys (expires_at)`.execute(db);
    await sql`create index idempotency_keys_seal on idempotency_keys (organisation_id, mode, seal_id)`.execute(db);

    await sql`create table events (
      ${tenant},
      id uuid not null,
      type text not null check (type ~ '^[a-z_]+(\.[a-z_]+)+$'),
      occurred_at timestamptz not null,
      bytes bytea not null check (octet_length(bytes) between 2 and 65536),
      primary key (organisation_id, mode, id)
    )`.execute(db);

    await sql`create table event_chain (
      ${tenant},
      sequence bigint not null check (sequence >= 1),
      event_id uuid not null,
      previous bytea not null check (octet_length(previous) = 32),
      hash bytea not null check (octet_length(hash) = 32),
      primary key (organisation_id, mode, sequence),
      unique (organisation_id, mode, event_id),
      foreign key (organisation_id, mode, event_id) references events (organisation_id, mode, id)
    )`.execute(db);

    await sql`create table unchained_events (
      ${tenant},
      event_id uuid not null,
      inserted_at timestamptz not null default now(),
      primary key (organisation_id, mode, event_id),
      foreign key (organisation_id, mode, event_id) references events (organisation_id, mode, id)
    )`.execute(db);

    await sql`create table usage_records (
      ${tenant},
      seal_id uuid not null,
      kind text not null check (kind in ('seal')),
      level text not null,
      occurred_at timestamptz not null,
      primary key (organisation_id, mode, seal_id, kind),
      foreign key (organisation_id, mode, seal_id) references seals (organisation_id, mode, id)
    )`.execute(db);
  },
};
