import type { Selectable } from 'kysely';
import type {
  EarlierSignature,
  LeftAloneSignature,
  SealKind,
  SealLevel,
  SealStatus,
  SealTable,
  Tenant,
} from '../database/schema.ts';

/** One sealing or extension, from its intent to its end. */
export type Seal = Tenant & {
  readonly id: string;
  readonly kind: SealKind;
  readonly status: SealStatus;
  /** Undefined for an extension. */
  readonly credential: { readonly id: string; readonly name: string } | undefined;
  /** The level that was asked for. */
  readonly level: SealLevel;
  readonly requestId: string;
  /** The document as it came in; undefined where only a digest did. */
  readonly document: { readonly size: number; readonly sha256: Uint8Array } | undefined;
  /** Of the ByteRange, where that is all that came in. */
  readonly digest: { readonly algorithm: string; readonly value: Uint8Array } | undefined;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
  readonly outcome: SealOutcome | undefined;
  readonly failure: SealFailure | undefined;
  /** SHA-256 of the increment (of a digest's seal: of the answer), while it is kept for replays. */
  readonly incrementSha256: Uint8Array | undefined;
  readonly incrementExpiresAt: Date | undefined;
  /** The document time-stamp that was given on its own, while it is kept. */
  readonly givenToken: { readonly token: Uint8Array; readonly digest: Uint8Array } | undefined;
  /** Set when the sealed file was kept; without `sha256` it is gone. */
  readonly retained: { readonly sha256: Uint8Array | undefined; readonly expiresAt: Date } | undefined;
};

/** What came of it. An extension has neither signing time nor field. */
export type SealOutcome = {
  readonly signingTime?: Date | undefined;
  readonly genTime?: Date | undefined;
  readonly timeStampSerial?: string | undefined;
  readonly documentTimeStamp?: { readonly time: Date; readonly serial: string } | undefined;
  readonly fieldName?: string | undefined;
  readonly fromLevel?: string | undefined;
  /** Of an extension. */
  readonly leftAlone?: readonly LeftAloneSignature[] | undefined;
  /** Signatures that the document already had, where it was seen. */
  readonly earlierSignatures?: readonly EarlierSignature[] | undefined;
  /** The document as it went out, where it did. */
  readonly sealed?: { readonly size: number; readonly sha256: Uint8Array } | undefined;
};

export type SealFailure = { readonly code: string; readonly detail: string };

/** Reads a row. */
export function toSeal(row: Selectable<SealTable> & { readonly credential_name: string | null }): Seal {
  return {
    organisationId: row.organisation_id,
    mode: row.mode,
    id: row.id,
    kind: row.kind,
    status: row.status,
    credential: row.credential_id === null ? undefined : { id: row.credential_id, name: row.credential_name ?? '' },
    level: row.level,
    requestId: row.request_id,
    document:
      row.document_size === null || row.document_sha256 === null
        ? undefined
        : { size: row.document_size, sha256: row.document_sha256 },
    digest:
      row.digest === null || row.digest_algorithm === null
        ? undefined
        : { algorithm: row.digest_algorithm, value: row.digest },
    createdAt: row.created_at,
    finishedAt: row.finished_at ?? undefined,
    outcome: row.status === 'completed' ? toOutcome(row) : undefined,
    failure:
      row.failure_code === null
        ? undefined
        : { code: row.failure_code, detail: row.failure_detail ?? row.failure_code },
    incrementSha256: row.increment_sha256 ?? undefined,
    incrementExpiresAt: row.increment_expires_at ?? undefined,
    givenToken:
      row.given_token === null || row.given_token_digest === null
        ? undefined
        : { token: row.given_token, digest: row.given_token_digest },
    retained:
      row.retained_expires_at === null
        ? undefined
        : { sha256: row.retained_sha256 ?? undefined, expiresAt: row.retained_expires_at },
  };
}

function toOutcome(row: Selectable<SealTable>): SealOutcome {
  const { document_time_stamp_time: time, sealed_size: size, sealed_sha256: sha256 } = row;
  return {
    signingTime: row.signing_time ?? undefined,
    genTime: row.gen_time ?? undefined,
    timeStampSerial: row.time_stamp_serial ?? undefined,
    documentTimeStamp: time === null ? undefined : { time, serial: row.document_time_stamp_serial ?? '' },
    fieldName: row.field_name ?? undefined,
    fromLevel: row.from_level ?? undefined,
    leftAlone: row.left_alone ?? undefined,
    earlierSignatures: toEarlierSignatures(row),
    sealed: size === null || sha256 === null ? undefined : { size, sha256 },
  };
}

/** Rows from before the states were kept have their number only. */
function toEarlierSignatures(row: Selectable<SealTable>): readonly EarlierSignature[] | undefined {
  if (row.earlier_signatures === null) return undefined;
  const named = row.earlier_signature_states ?? [];
  const unnamed = Math.max(0, row.earlier_signatures - named.length);
  return [...named, ...Array.from({ length: unnamed }, () => ({ field_name: null, state: 'not-checked' }) as const)];
}
