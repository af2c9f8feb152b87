import type { Selectable } from 'kysely';
import type { Executor } from '../database/open-database.ts';
import type { IdempotencyKeyTable, StoredProblem, Tenant } from '../database/schema.ts';

/** Which key, and for which route: the same text means nothing on another one. */
export type IdempotencyScope = Tenant & { readonly route: string; readonly key: string };

/** What is known of a key that somebody used before. */
export type IdempotencyRecord = {
  /** SHA-256 over document and normalised options. */
  readonly fingerprint: Uint8Array;
  readonly state: 'in_flight' | 'done';
  readonly sealId: string;
  /** The 4xx answer to give again; undefined when the seal was completed. */
  readonly problem: StoredProblem | undefined;
};

/** How long an outcome is answered again, in milliseconds; the increment is kept as long. */
export const idempotencyLifetimeMs = 24 * 3600 * 1000;

/** What is stored under a key that has not expired. */
export async function findIdempotencyKey(
  db: Executor,
  scope: IdempotencyScope,
  now: Date,
): Promise<IdempotencyRecord | undefined> {
  const row = await db
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('organisation_id', '=', scope.organisationId)
    .where('mode', '=', scope.mode)
    .where('route', '=', scope.route)
    .where('key', '=', scope.key)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row === undefined ? undefined : toRecord(row);
}

/**
 * Takes the key for a seal, in the transaction that inserts the seal. Two at once: the primary key makes the second
 * wait for the first one's transaction, and lose.
 *
 * @returns whether the key is ours now; otherwise ask {@link findIdempotencyKey} in a new transaction
 */
export async function takeIdempotencyKey(
  transaction: Executor,
  scope: IdempotencyScope,
  input: { readonly fingerprint: Uint8Array; readonly sealId: string; readonly now: Date },
): Promise<boolean> {
  const values = {
    fingerprint: Buffer.from(input.fingerprint),
    state: 'in_flight' as const,
    seal_id: input.sealId,
    problem: null,
    created_at: input.now,
    expires_at: new Date(input.now.getTime() + idempotencyLifetimeMs),
  };
  const taken = await transaction
    .insertInto('idempotency_keys')
    .values({
      organisation_id: scope.organisationId,
      mode: scope.mode,
      route: scope.route,
      key: scope.key,
      ...values,
    })
    // An expired key is free, also when nobody has swept it yet.
    .onConflict((conflict) =>
      conflict
        .columns(['organisation_id', 'mode', 'route', 'key'])
        .doUpdateSet(values)
        .where('idempotency_keys.expires_at', '<=', input.now),
    )
    .returning('seal_id')
    .executeTakeFirst();
  return taken !== undefined;
}

/** The key of the call that made a seal, or that of a later call about it, by its route. */
export type IdempotencyHolder = Tenant & { readonly id: string; readonly route?: string };

/** Writes how the seal ended, to be answered again: completed, or with a 4xx problem. */
export async function settleIdempotencyKey(
  transaction: Executor,
  holder: IdempotencyHolder,
  problem?: StoredProblem,
): Promise<void> {
  let query = transaction
    .updateTable('idempotency_keys')
    .set({ state: 'done', problem: problem === undefined ? null : JSON.stringify(problem) })
    .where('organisation_id', '=', holder.organisationId)
    .where('mode', '=', holder.mode)
    .where('seal_id', '=', holder.id);
  if (holder.route !== undefined) query = query.where('route', '=', holder.route);
  await query.execute();
}

/** Gives the key back: the caller may try again with it. */
export async function freeIdempotencyKey(transaction: Executor, holder: IdempotencyHolder): Promise<void> {
  let query = transaction
    .deleteFrom('idempotency_keys')
    .where('organisation_id', '=', holder.organisationId)
    .where('mode', '=', holder.mode)
    .where('seal_id', '=', holder.id);
  if (holder.route !== undefined) query = query.where('route', '=', holder.route);
  await query.execute();
}

function toRecord(row: Selectable<IdempotencyKeyTable>): IdempotencyRecord {
  return {
    fingerprint: row.fingerprint,
    state: row.state,
    sealId: row.seal_id,
    problem: row.problem ?? undefined,
  };
}
