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
import { findReplay, inFlight, type Replay } from './replay.ts';

/** A seal that stands in the database as `pending`. */
export type PendingSeal = SealKey & {
  /** `seal_…`, or `ext_…` for an extension. */
  readonly publicId: string;
  readonly createdAt: Date;
};

/** What the idempotency key of a call says, where it has one. */
export type KeyOfCall = {
  readonly route: string;
  readonly key: string | undefined;
  readonly fingerprint: Uint8Array;
};

/**
 * Step 2: one transaction inserts the seal as `pending` with its idempotency key. From here on the seal ends as
 * `completed` or `failed`, by us or by the sweeper.
 *
 * @param intent its id stands in `services.atWork` already
 * @returns the pending seal, or the earlier one when the same request was faster
 * @throws SigillumError `idempotency_key_in_flight` and what {@link findReplay} throws
 */
export async function recordIntent(
  services: Services,
  intent: Omit<SealIntent, 'instance' | 'process' | 'createdAt'>,
  call: KeyOfCall,
): Promise<PendingSeal | Replay> {
  const createdAt = services.now();
  const { organisationId, mode, id } = intent;
  const row = { ...intent, instance: services.instance, process: services.process, createdAt };
  const publicId = encodeId(intent.kind === 'extension' ? 'ext' : 'seal', id);
  const pending: PendingSeal = { organisationId, mode, id, publicId, createdAt };
  if (call.key === undefined) {
    // One statement is atomic by itself: no transaction, two round trips less.
    await insertSeal(services.db, row);
    return pending;
  }
  const scope: IdempotencyScope = { organisationId, mode, route: call.route, key: call.key };
  const taken = await inTransaction(services.db, async (transaction) => {
    await insertSeal(transaction, row);
    const input = { fingerprint: call.fingerprint, sealId: id, now: createdAt };
    if (await takeIdempotencyKey(transaction, scope, input)) return true;
    throw new KeyTaken();
  }).catch((error: unknown) => {
    if (error instanceof KeyTaken) return false;
    throw error;
  });
  if (taken) return pending;
  const replay = await findReplay(services, scope, call.fingerprint);
  // Freed in between: the other one failed just now, and the caller may try again.
  if (replay === undefined) throw inFlight();
  return replay;
}

/** Rolls the transaction back; never leaves this file. */
class KeyTaken extends Error {}
