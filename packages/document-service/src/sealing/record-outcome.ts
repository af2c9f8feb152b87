import type { JsonObject } from '@sigillum/audit';
import { codeRegistry, isSigillumError, SigillumError, toProblem } from '@sigillum/errors';
import {
  appendEvent,
  completeSeal,
  encodeId,
  failSeal,
  freeIdempotencyKey,
  idempotencyLifetimeMs,
  insertUsageRecord,
  inTransaction,
  type SealKind,
  type SealLevel,
  type SealOutcome,
  settleIdempotencyKey,
} from '@sigillum/store';
import type { Services } from '../services.ts';
import { describeOutcome, toHex } from './describe-outcome.ts';
import type { PendingSeal } from './record-intent.ts';

/** What is written about a seal, whatever came of it. */
export type RecordedWork = {
  readonly kind: SealKind;
  readonly level: SealLevel;
  readonly requestId: string;
  readonly apiKeyId: string;
  readonly credential: { readonly id: string; readonly keyId: string } | undefined;
  readonly document: { readonly size: number; readonly sha256: Uint8Array } | undefined;
  readonly digest: { readonly algorithm: string; readonly value: Uint8Array } | undefined;
};

/**
 * Step 7: keeps the increment, and in one transaction marks the seal `completed`, writes the event and the usage and
 * settles the idempotency key. Only after it has resolved may a byte of the sealed document leave.
 *
 * @param kept what a replay gives again: the increment, or the answer to a digest
 * @param retained the sealed file, stored already, and until when it is kept
 * @throws SigillumError `seal_swept` when the seal is no longer pending, `database_unavailable`, `storage_full`
 */
export async function recordOutcome(
  services: Services,
  work: RecordedWork,
  seal: PendingSeal,
  outcome: SealOutcome,
  kept: Uint8Array,
  retained?: { readonly sha256: Uint8Array; readonly expiresAt: Date },
): Promise<void> {
  const finishedAt = services.now();
  const tenant = tenantOfSeal(seal);
  // Before the transaction: a row never names bytes that aren't there. The other way round, sweepBlobs cleans up.
  const incrementSha256 = await services.blobs.put(kept);
  await inTransaction(services.db, async (transaction) => {
    const completed = await completeSeal(transaction, seal, {
      ...outcome,
      finishedAt,
      incrementSha256,
      incrementExpiresAt: new Date(finishedAt.getTime() + idempotencyLifetimeMs),
      retained,
    });
    if (!completed) throw new SigillumError('seal_swept', 'The seal took so long that it was given up. Try again.');
    await insertUsageRecord(transaction, {
      ...tenant,
      sealId: seal.id,
      kind: work.kind,
      level: work.level,
      occurredAt: finishedAt,
    });
    await settleIdempotencyKey(transaction, seal);
    await appendEvent(transaction, {
      ...tenant,
      type: `${nameOf(work)}.completed`,
      occurredAt: finishedAt,
      requestId: work.requestId,
      data: { ...describeWork(work, seal), level: work.level, ...describeOutcome(outcome) },
    });
  });
}

/**
 * Ends a pending seal as `failed`: a 4xx is kept to be answered again, anything else gives the idempotency key back.
 * When even this can't be written, the seal stays pending and the sweeper ends it.
 */
export async function recordFailure(
  services: Services,
  work: RecordedWork,
  seal: PendingSeal,
  error: unknown,
): Promise<void> {
  const { code, detail } = toProblem(error, work.requestId);
  const occurredAt = services.now();
  const isFinal = codeRegistry[code].status < 500 && code !== 'request_aborted';
  try {
    await inTransaction(services.db, async (transaction) => {
      if (!(await failSeal(transaction, seal, { code, detail, finishedAt: occurredAt }))) return;
      if (isFinal) {
        const fields = isSigillumError(error) ? error.fields : [];
        await settleIdempotencyKey(transaction, seal, { code, detail, fields });
      } else await freeIdempotencyKey(transaction, seal);
      await appendEvent(transaction, {
        ...tenantOfSeal(seal),
        type: `${nameOf(work)}.failed`,
        occurredAt,
        requestId: work.requestId,
        data: { ...describeWork(work, seal), code },
      });
    });
  } catch (cause) {
    services.logger.warn('a failed seal stays pending until it is swept', { seal: seal.publicId, error: cause });
  }
}

function nameOf({ kind }: RecordedWork): 'seal' | 'extension' {
  return kind === 'extension' ? 'extension' : 'seal';
}

function describeWork(work: RecordedWork, seal: PendingSeal): JsonObject {
  const { credential, document, digest } = work;
  return {
    [nameOf(work)]: seal.publicId,
    api_key: encodeId('key', work.apiKeyId),
    ...(credential === undefined ? {} : { credential: encodeId('cred', credential.id), key_id: credential.keyId }),
    content_seen: document !== undefined,
    ...(document === undefined ? {} : { document: { size: document.size, sha256: toHex(document.sha256) } }),
    ...(digest === undefined ? {} : { digest: { algorithm: digest.algorithm, value: toHex(digest.value) } }),
  };
}

function tenantOfSeal({ organisationId, mode }: PendingSeal): Pick<PendingSeal, 'organisationId' | 'mode'> {
  return { organisationId, mode };
}
