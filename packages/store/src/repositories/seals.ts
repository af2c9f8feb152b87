import type { Executor } from '../database/open-database.ts';
import type { SealKind, SealLevel, SealStatus, Tenant } from '../database/schema.ts';
import { type Seal, type SealFailure, type SealOutcome, toSeal } from './seal.ts';

export type SealIntent = Tenant & {
  readonly id: string;
  readonly kind: SealKind;
  /** Undefined for an extension: nothing is signed with a credential there. */
  readonly credentialId: string | undefined;
  readonly level: SealLevel;
  readonly requestId: string;
  /** The configured name of the service instance, and a UUID of this one process. */
  readonly instance: string;
  readonly process: string;
  /** The document, or its digest over the ByteRange where the document stays with the caller. */
  readonly content:
    | { readonly size: number; readonly sha256: Uint8Array }
    | { readonly digestAlgorithm: string; readonly digest: Uint8Array };
  readonly createdAt: Date;
};

/** What is kept of a completed seal for replays, and of the sealed file when that was asked for. */
export type SealKeeping = {
  readonly finishedAt: Date;
  readonly incrementSha256: Uint8Array;
  readonly incrementExpiresAt: Date;
  readonly retained?: { readonly sha256: Uint8Array; readonly expiresAt: Date } | undefined;
};

export type SealKey = Tenant & { readonly id: string };

/** Step 2: the seal is begun. */
export async function insertSeal(db: Executor, intent: SealIntent): Promise<void> {
  const { content } = intent;
  await db
    .insertInto('seals')
    .values({
      organisation_id: intent.organisationId,
      mode: intent.mode,
      id: intent.id,
      kind: intent.kind,
      status: 'pending',
      credential_id: intent.credentialId ?? null,
      level: intent.level,
      request_id: intent.requestId,
      instance: intent.instance,
      process: intent.process,
      ...('size' in content
        ? { document_size: content.size, document_sha256: Buffer.from(content.sha256) }
        : { digest_algorithm: content.digestAlgorithm, digest: Buffer.from(content.digest) }),
      created_at: intent.createdAt,
    })
    .execute();
}

/** Step 7: the seal is done. @returns false when it was no longer pending: somebody has swept it. */
export async function completeSeal(db: Executor, key: SealKey, outcome: SealOutcome & SealKeeping): Promise<boolean> {
  const { sealed, retained, documentTimeStamp } = outcome;
  const result = await pending(db, key)
    .set({
      status: 'completed',
      signing_time: outcome.signingTime ?? null,
      gen_time: outcome.genTime ?? null,
      time_stamp_serial: outcome.timeStampSerial ?? null,
      document_time_stamp_time: documentTimeStamp?.time ?? null,
      document_time_stamp_serial: documentTimeStamp?.serial ?? null,
      field_name: outcome.fieldName ?? null,
      from_level: outcome.fromLevel ?? null,
      left_alone: encodeList(outcome.leftAlone),
      earlier_signatures: outcome.earlierSignatures?.length ?? null,
      earlier_signature_states: encodeList(outcome.earlierSignatures),
      sealed_size: sealed?.size ?? null,
      sealed_sha256: sealed === undefined ? null : Buffer.from(sealed.sha256),
      increment_sha256: Buffer.from(outcome.incrementSha256),
      increment_expires_at: outcome.incrementExpiresAt,
      retained_sha256: retained === undefined ? null : Buffer.from(retained.sha256),
      retained_expires_at: retained?.expiresAt ?? null,
      finished_at: outcome.finishedAt,
    })
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Ends a pending seal as failed. @returns false when it was no longer pending. */
export async function failSeal(
  db: Executor,
  key: SealKey,
  failure: SealFailure & { readonly finishedAt: Date },
): Promise<boolean> {
  const result = await pending(db, key)
    .set({
      status: 'failed',
      failure_code: failure.code,
      failure_detail: failure.detail,
      finished_at: failure.finishedAt,
    })
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/**
 * Keeps the one document time-stamp that a seal of a digest gets after it was completed.
 * @returns false when it has one already
 */
export async function giveDocumentTimeStamp(
  db: Executor,
  key: SealKey,
  given: { readonly token: Uint8Array; readonly digest: Uint8Array; readonly time: Date; readonly serial: string },
): Promise<boolean> {
  const result = await ofKey(db, key)
    .where('status', '=', 'completed')
    .where('document_time_stamp_time', 'is', null)
    .set({
      document_time_stamp_time: given.time,
      document_time_stamp_serial: given.serial,
      given_token: Buffer.from(given.token),
      given_token_digest: Buffer.from(given.digest),
    })
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** The seal of that UUID, in this organisation and mode only. */
export async function findSeal(db: Executor, tenant: Tenant, id: string): Promise<Seal | undefined> {
  const row = await ofTenant(db, tenant).where('seals.id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toSeal(row);
}

/** A page of seals of these kinds, newest first, after (older than) the one with the given UUID. */
export async function listSeals(
  db: Executor,
  tenant: Tenant,
  page: {
    readonly kinds: readonly SealKind[];
    readonly limit: number;
    readonly after?: string;
    readonly status?: SealStatus;
  },
): Promise<readonly Seal[]> {
  let query = ofTenant(db, tenant)
    .where('seals.kind', 'in', [...page.kinds])
    .orderBy('seals.id', 'desc')
    .limit(page.limit);
  if (page.after !== undefined) query = query.where('seals.id', '<', page.after);
  if (page.status !== undefined) query = query.where('seals.status', '=', page.status);
  return (await query.execute()).map(toSeal);
}

/** Signatures of one document that are named one by one; a document with more has their number all the same. */
const maxListed = 100;

/** Names of fields come from documents: PostgreSQL takes neither half a character nor U+0000. */
function toStorable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value;
}

function encodeList(signatures: readonly object[] | undefined): string | null {
  return signatures === undefined ? null : JSON.stringify(signatures.slice(0, maxListed), toStorable);
}

function pending(db: Executor, key: SealKey) {
  return ofKey(db, key).where('status', '=', 'pending');
}

function ofKey(db: Executor, { organisationId, mode, id }: SealKey) {
  return db
    .updateTable('seals')
    .where('organisation_id', '=', organisationId)
    .where('mode', '=', mode)
    .where('id', '=', id);
}

function ofTenant(db: Executor, { organisationId, mode }: Tenant) {
  return db
    .selectFrom('seals')
    .leftJoin('credentials', (join) =>
      join
        .onRef('credentials.organisation_id', '=', 'seals.organisation_id')
        .onRef('credentials.mode', '=', 'seals.mode')
        .onRef('credentials.id', '=', 'seals.credential_id'),
    )
    .selectAll('seals')
    .select('credentials.name as credential_name')
    .where('seals.organisation_id', '=', organisationId)
    .where('seals.mode', '=', mode);
}
