import type { Selectable } from 'kysely';
import type { Executor } from '../database/open-database.ts';
import type { SealLevel, SealStatus, SealTable, Tenant } from '../database/schema.ts';

/** One sealing, from its intent to its end. */
export type Seal = Tenant & {
  readonly id: string;
  readonly status: SealStatus;
  readonly credential: { readonly id: string; readonly name: string };
  readonly level: SealLevel;
  readonly requestId: string;
  readonly documentSize: number;
  readonly documentSha256: Uint8Array;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
  readonly outcome: SealOutcome | undefined;
  readonly failure: SealFailure | undefined;
  /** SHA-256 of the increment, while it is kept for replays. */
  readonly incrementSha256: Uint8Array | undefined;
};

export type SealIntent = Tenant & {
  readonly id: string;
  readonly credentialId: string;
  readonly level: SealLevel;
  readonly requestId: string;
  /** The configured name of the service instance, and a UUID of this one process. */
  readonly instance: string;
  readonly process: string;
  readonly documentSize: number;
  readonly documentSha256: Uint8Array;
  readonly createdAt: Date;
};

export type SealOutcome = {
  readonly signingTime: Date;
  readonly genTime: Date;
  readonly timeStampSerial: string;
  readonly fieldName: string;
  /** Signatures that the document already had, where they were counted. */
  readonly earlierSignatures: number | undefined;
  readonly sealedSize: number;
  readonly sealedSha256: Uint8Array;
};

export type SealFailure = { readonly code: string; readonly detail: string };

export type SealKey = Tenant & { readonly id: string };

/** Step 2: the seal is begun. */
export async function insertSeal(db: Executor, intent: SealIntent): Promise<void> {
  await db
    .insertInto('seals')
    .values({
      organisation_id: intent.organisationId,
      mode: intent.mode,
      id: intent.id,
      status: 'pending',
      credential_id: intent.credentialId,
      level: intent.level,
      request_id: intent.requestId,
      instance: intent.instance,
      process: intent.process,
      document_size: intent.documentSize,
      document_sha256: Buffer.from(intent.documentSha256),
      created_at: intent.createdAt,
    })
    .execute();
}

/** Step 7: the seal is done. @returns false when it was no longer pending: somebody has swept it. */
export async function completeSeal(
  db: Executor,
  key: SealKey,
  outcome: SealOutcome & {
    readonly finishedAt: Date;
    readonly incrementSha256: Uint8Array;
    readonly incrementExpiresAt: Date;
  },
): Promise<boolean> {
  const result = await pending(db, key)
    .set({
      status: 'completed',
      signing_time: outcome.signingTime,
      gen_time: outcome.genTime,
      time_stamp_serial: outcome.timeStampSerial,
      field_name: outcome.fieldName,
      earlier_signatures: outcome.earlierSignatures ?? null,
      sealed_size: outcome.sealedSize,
      sealed_sha256: Buffer.from(outcome.sealedSha256),
      increment_sha256: Buffer.from(outcome.incrementSha256),
      increment_expires_at: outcome.incrementExpiresAt,
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

/** The seal of that UUID, in this organisation and mode only. */
export async function findSeal(db: Executor, tenant: Tenant, id: string): Promise<Seal | undefined> {
  const row = await ofTenant(db, tenant).where('seals.id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toSeal(row);
}

/** A page of seals, newest first, after (older than) the one with the given UUID. */
export async function listSeals(
  db: Executor,
  tenant: Tenant,
  page: { readonly limit: number; readonly after?: string; readonly status?: SealStatus },
): Promise<readonly Seal[]> {
  let query = ofTenant(db, tenant).orderBy('seals.id', 'desc').limit(page.limit);
  if (page.after !== undefined) query = query.where('seals.id', '<', page.after);
  if (page.status !== undefined) query = query.where('seals.status', '=', page.status);
  return (await query.execute()).map(toSeal);
}

function pending(db: Executor, { organisationId, mode, id }: SealKey) {
  return db
    .updateTable('seals')
    .where('organisation_id', '=', organisationId)
    .where('mode', '=', mode)
    .where('id', '=', id)
    .where('status', '=', 'pending');
}

function ofTenant(db: Executor, { organisationId, mode }: Tenant) {
  return db
    .selectFrom('seals')
    .innerJoin('credentials', (join) =>
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

function toSeal(row: Selectable<SealTable> & { readonly credential_name: string }): Seal {
  return {
    organisationId: row.organisation_id,
    mode: row.mode,
    id: row.id,
    status: row.status,
    credential: { id: row.credential_id, name: row.credential_name },
    level: row.level,
    requestId: row.request_id,
    documentSize: row.document_size,
    documentSha256: row.document_sha256,
    createdAt: row.created_at,
    finishedAt: row.finished_at ?? undefined,
    outcome: toOutcome(row),
    failure:
      row.failure_code === null
        ? undefined
        : { code: row.failure_code, detail: row.failure_detail ?? row.failure_code },
    incrementSha256: row.increment_sha256 ?? undefined,
  };
}

function toOutcome(row: Selectable<SealTable>): SealOutcome | undefined {
  const { signing_time, gen_time, time_stamp_serial, field_name, earlier_signatures, sealed_size, sealed_sha256 } = row;
  if (signing_time === null || gen_time === null || sealed_size === null || sealed_sha256 === null) return undefined;
  return {
    signingTime: signing_time,
    genTime: gen_time,
    timeStampSerial: time_stamp_serial ?? '',
    fieldName: field_name ?? '',
    earlierSignatures: earlier_signatures ?? undefined,
    sealedSize: sealed_size,
    sealedSha256: sealed_sha256,
  };
}
