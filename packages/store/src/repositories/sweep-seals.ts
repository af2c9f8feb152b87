import { type Database, type Executor, inTransaction } from '../database/open-database.ts';
import type { SealKind, Tenant } from '../database/schema.ts';
import { encodeId } from '../ids/public-id.ts';
import { appendEvent } from '../journal/append-event.ts';
import { freeIdempotencyKey } from './idempotency-keys.ts';
import { failSeal } from './seals.ts';

/** A seal that was ended because nobody works on it any more. */
export type SweptSeal = Tenant & {
  readonly id: string;
  readonly kind: SealKind;
  readonly requestId: string;
  readonly createdAt: Date;
};

export type SweepOptions = {
  /** The service instance that sweeps, and its present process. */
  readonly instance: string;
  readonly process: string;
  /** Seals that this process works on now, taken at `now`: its other pending ones are left-overs of a lost database. */
  readonly atWork: readonly string[];
  /** A pending seal older than this is nobody's, whichever process began it. */
  readonly olderThanMs: number;
  readonly now: Date;
};

/** One transaction ends at most so many. */
const maxBatch = 100;

/**
 * Ends stale pending seals as `failed` with the code `seal_swept` and frees their idempotency keys: those of earlier
 * processes of this instance, and what the present one could not end itself, at once; anybody's after `olderThanMs`. What the HSM may have signed for them, and nobody
 * received, stands in hash-signer's log under the same seal id; the event says so.
 */
export async function sweepSeals(db: Database, options: SweepOptions): Promise<readonly SweptSeal[]> {
  const swept: SweptSeal[] = [];
  for (;;) {
    const batch = await inTransaction(db, (transaction) => sweepBatch(transaction, options));
    swept.push(...batch);
    if (batch.length < maxBatch) return swept;
  }
}

async function sweepBatch(transaction: Executor, options: SweepOptions): Promise<readonly SweptSeal[]> {
  const stale = await transaction
    .selectFrom('seals')
    .select(['organisation_id', 'mode', 'id', 'kind', 'request_id', 'created_at'])
    .where('status', '=', 'pending')
    .where((either) =>
      either.or([
        either('created_at', '<', new Date(options.now.getTime() - options.olderThanMs)),
        either.and([either('instance', '=', options.instance), either('process', '<>', options.process)]),
        either.and([
          either('instance', '=', options.instance),
          either('process', '=', options.process),
          // A younger one was begun after `atWork` was taken.
          either('created_at', '<', options.now),
          ...(options.atWork.length === 0 ? [] : [either('id', 'not in', options.atWork)]),
        ]),
      ]),
    )
    .orderBy('created_at')
    .limit(maxBatch)
    .forUpdate()
    .skipLocked()
    .execute();
  const swept: SweptSeal[] = [];
  for (const row of stale) {
    const seal = { organisationId: row.organisation_id, mode: row.mode, id: row.id };
    const ended = await failSeal(transaction, seal, {
      code: 'seal_swept',
      detail: 'The service stopped before the seal was done. Nothing was given out; try again.',
      finishedAt: options.now,
    });
    if (!ended) continue;
    await freeIdempotencyKey(transaction, seal);
    await appendEvent(transaction, {
      ...seal,
      type: row.kind === 'extension' ? 'extension.swept' : 'seal.swept',
      occurredAt: options.now,
      requestId: row.request_id,
      data:
        row.kind === 'extension'
          ? { extension: encodeId('ext', row.id) }
          : { seal: encodeId('seal', row.id), signature_may_be_in_signer_log: true },
    });
    swept.push({ ...seal, kind: row.kind, requestId: row.request_id, createdAt: row.created_at });
  }
  return swept;
}
