import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What the higher levels and the other ways in add: seals of a digest alone and extensions beside seals of documents,
 * sealed files that are kept for a while, document time-stamps given on their own, the state of each earlier signature,
 * and rates counted for all instances together.
 */
export const levelsMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table seals
      add column kind text not null default 'seal' check (kind in ('seal', 'digest', 'extension')),
      alter column credential_id drop not null,
      alter column document_size drop not null,
      alter column document_sha256 drop not null,
      add column digest_algorithm text check (digest_algorithm in ('sha256', 'sha384', 'sha512')),
      add column digest bytea check (octet_length(digest) between 32 and 64),
      add column from_level text check (from_level in ('b-b', 'b-t', 'b-lt', 'b-lta')),
      add column earlier_signature_states jsonb,
      add column document_time_stamp_time timestamptz,
      add column document_time_stamp_serial text,
      add column given_token bytea check (octet_length(given_token) <= 65536),
      add column given_token_digest bytea check (octet_length(given_token_digest) between 32 and 64),
      add column retained_sha256 bytea check (octet_length(retained_sha256) = 32),
      add column retained_expires_at timestamptz`.execute(db);
    // Unnamed checks have generated names: found by what they say.
    await dropCheck(db, 'seals', 'sealed_size');
    await dropCheck(db, 'usage_records', 'kind');
    await sql`alter table seals
      add constraint seals_kind_has_its_input check (case kind
        when 'seal' then credential_id is not null and document_size is not null and document_sha256 is not null
        when 'digest' then credential_id is not null and digest is not null and digest_algorithm is not null
          and document_size is null and document_sha256 is null
        else credential_id is null and document_size is not null and document_sha256 is not null end),
      add constraint seals_completed_has_its_outcome check (status <> 'completed' or case kind
        when 'seal' then signing_time is not null and gen_time is not null and time_stamp_serial is not null
          and sealed_size > document_size and sealed_sha256 is not null
        when 'digest' then signing_time is not null and gen_time is not null and time_stamp_serial is not null
        else sealed_size >= document_size and sealed_sha256 is not null end),
      add constraint seals_retained_has_an_end check (retained_sha256 is null or retained_expires_at is not null)`.execute(
      db,
    );
    await sql`alter table usage_records add constraint usage_records_kind_check
      check (kind in ('seal', 'digest', 'extension'))`.execute(db);
    await sql`create index seals_retained on seals (retained_sha256) where retained_sha256 is not null`.execute(db);
    await sql`create index seals_retained_expiry on seals (retained_expires_at) where retained_sha256 is not null`.execute(
      db,
    );

    // As rate-limiter-flexible wants it. The key is our id of an API key; rows are forgotten an hour after their end.
    await sql`create table rate_limits (
      key varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    )`.execute(db);
  },
};

async function dropCheck(db: Kysely<unknown>, table: string, column: string): Promise<void> {
  const { rows } = await sql<{ conname: string }>`
    select conname from pg_constraint
    where conrelid = ${table}::regclass and contype = 'c'
      and pg_get_constraintdef(oid) like ${`%${column}%`}`.execute(db);
  for (const { conname } of rows) {
    await sql`alter table ${sql.id(table)} drop constraint ${sql.id(conname)}`.execute(db);
  }
}
