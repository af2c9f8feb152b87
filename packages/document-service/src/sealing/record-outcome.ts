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
  settleIdempotencyKey,
} from '@sigillum/store';
import type { Services } from '../services.ts';
import type { AdmittedSeal } from './admit.ts';
import type { MadeSeal } from './make-seal.ts';
import type { PendingSeal } from './record-intent.ts';

/**
 * Step 7: keeps the increment, and in one transaction marks the seal `completed`, writes the event and the usage and
 * settles the idempotency key. Only after it has resolved may a byte of the sealed document leave.
 *
 * @throws SigillumError `seal_swept` when the seal is no longer pending, `database_unavailable`
 */
export async function recordOutcome(
  services: Services,
  admitted: AdmittedSeal,
  seal: PendingSeal,
  { sealed, prepared }: MadeSeal,
): Promise<void> {
  const { request, credential, document } = admitted;
  const finishedAt = services.now();
  const sealedSha256 = document.sha256State.finish([sealed.increment]);
  const timeStampSerial = sealed.timeStampToken.serialNumber;
  // Before the transaction: a row never names bytes that aren't there. The other way round, sweepBlobs cleans up.
  const incrementSha256 = await services.blobs.put(sealed.increment);
  await inTransaction(services.db, async (transaction) => {
    const completed = await completeSeal(transaction, seal, {
      signingTime: sealed.signingTime,
      genTime: sealed.genTime,
      timeStampSerial,
      fieldName: sealed.fieldName,
      earlierSignatures: prepared.earlierSignatures.length,
      sealedSize: sealed.size,
      sealedSha256,
      finishedAt,
      incrementSha256,
      incrementExpiresAt: new Date(finishedAt.getTime() + idempotencyLifetimeMs),
    });
    if (!completed) throw new SigillumError('seal_swept', 'The seal took so long that it was given up. Try again.');
    await insertUsageRecord(transaction, {
      ...tenantOfSeal(seal),
      sealId: seal.id,
      level: request.options.level,
      occurredAt: finishedAt,
    });
    if (request.idempotencyKey !== undefined) await settleIdempotencyKey(transaction, seal);
    await appendEvent(transaction, {
      ...tenantOfSeal(seal),
      type: 'seal.completed',
      occurredAt: finishedAt,
      requestId: request.requestId,
      data: {
        seal: seal.publicId,
        api_key: encodeId('key', request.caller.id),
        credential: encodeId('cred', credential.id),
        key_id: credential.keyId,
        level: request.options.level,
        document: { size: document.source.size, sha256: toHex(document.sha256) },
        sealed: { size: sealed.size, sha256: toHex(sealedSha256) },
        signing_time: sealed.signingTime.toISOString(),
        time_stamp: { time: sealed.genTime.toISOString(), serial: timeStampSerial },
        field_name: sealed.fieldName,
        earlier_signatures: prepared.earlierSignatures.length,
      },
    });
  });
}

/**
 * Ends a pending seal as `failed`: a 4xx is kept to be answered again, anything else gives the idempotency key back.
 * When even this can't be written, the seal stays pending and the sweeper ends it.
 */
export async function recordFailure(
  services: Services,
  admitted: AdmittedSeal,
  seal: PendingSeal,
  error: unknown,
): Promise<void> {
  const { code, detail } = toProblem(error, admitted.request.requestId);
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
        type: 'seal.failed',
        occurredAt,
        requestId: admitted.request.requestId,
        data: {
          seal: seal.publicId,
          credential: encodeId('cred', admitted.credential.id),
          document: { size: admitted.document.source.size, sha256: toHex(admitted.document.sha256) },
          code,
        },
      });
    });
  } catch (cause) {
    services.logger.warn('a failed seal stays pending until it is swept', { seal: seal.publicId, error: cause });
  }
}

function tenantOfSeal({ organisationId, mode }: PendingSeal): Pick<PendingSeal, 'organisationId' | 'mode'> {
  return { organisationId, mode };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
