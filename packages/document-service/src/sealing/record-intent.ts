import {
  encodeId,
  type IdempotencyScope,
  insertSeal,
  inTransaction,
  type SealIntent,
  type SealKey,
  takeIdempotencyKey,
} from '@sigillum/store';
import type { Services } from '../services.ts';
import { type AdmittedSeal, sealRoute, tenantOf } from './admit.ts';
import { findReplay, inFlight, type Replay } from './replay.ts';

/** A seal that stands in the database as `pending`. */
export type PendingSeal = SealKey & {
  /** `seal_…` */
  readonly publicId: string;
  readonly createdAt: Date;
};

/**
 * Step 2: one transaction inserts the seal as `pending` with its idempotency key. From here on the seal ends as
 * `completed` or `failed`, by us or by the sweeper.
 *
 * @param id stands in `services.atWork` already
 * @returns the pending seal, or the earlier one when the same request was faster
 * @throws SigillumError `idempotency_key_in_flight` and what {@link findReplay} throws
 */
export async function recordIntent(
  services: Services,
  admitted: AdmittedSeal,
  id: string,
): Promise<PendingSeal | Replay> {
  const { request, credential, document } = admitted;
  const createdAt = services.now();
  const tenant = tenantOf(request.caller);
  const scope: IdempotencyScope | undefined =
    request.idempotencyKey === undefined ? undefined : { ...tenant, route: sealRoute, key: request.idempotencyKey };
  const intent: SealIntent = {
    ...tenant,
    id,
    credentialId: credential.id,
    level: request.options.level,
    requestId: request.requestId,
    instance: services.instance,
    process: services.process,
    documentSize: document.source.size,
    documentSha256: document.sha256,
    createdAt,
  };
  const pending: PendingSeal = { ...tenant, id, publicId: encodeId('seal', id), createdAt };
  if (scope === undefined) {
    // One statement is atomic by itself: no transaction, two round trips less.
    await insertSeal(services.db, intent);
    return pending;
  }
  const taken = await inTransaction(services.db, async (transaction) => {
    await insertSeal(transaction, intent);
    const input = { fingerprint: admitted.fingerprint, sealId: id, now: createdAt };
    if (await takeIdempotencyKey(transaction, scope, input)) return true;
    throw new KeyTaken();
  }).catch((error: unknown) => {
    if (error instanceof KeyTaken) return false;
    throw error;
  });
  if (!taken) {
    const replay = await findReplay(services, scope, admitted.fingerprint);
    // Freed in between: the other one failed just now, and the caller may try again.
    if (replay === undefined) throw inFlight();
    return replay;
  }
  return pending;
}

/** Rolls the transaction back; never leaves this file. */
class KeyTaken extends Error {}
