import type { BlobStore } from '../blobs/blob-store.ts';
import type { Database } from '../database/open-database.ts';

/** One call forgets at most so many; the sweeper comes again. */
const maxBatch = 500;

/**
 * Forgets what nobody may ask for any more: expired idempotency keys, the increments of seals past their time, and sealed
 * files that were kept for a while.
 */
export async function sweepReplays(db: Database, blobs: BlobStore, now: Date): Promise<void> {
  await db.deleteFrom('idempotency_keys').where('expires_at', '<=', now).execute();
  await sweepIncrements(db, blobs, now);
  await sweepRetained(db, blobs, now);
}

async function sweepIncrements(db: Database, blobs: BlobStore, now: Date): Promise<void> {
  const expired = await db
    .selectFrom('seals')
    .select(['organisation_id', 'mode', 'id', 'increment_sha256'])
    .where('increment_expires_at', '<=', now)
    .limit(maxBatch)
    .execute();
  for (const row of expired) {
    await db
      .updateTable('seals')
      .set({ increment_sha256: null, increment_expires_at: null, given_token: null, given_token_digest: null })
      .where('organisation_id', '=', row.organisation_id)
      .where('mode', '=', row.mode)
      .where('id', '=', row.id)
      .execute();
    // The row first: a crash here leaves a blob that nobody names, which sweepBlobs finds.
    if (row.increment_sha256 !== null && !(await isBlobNamed(db, row.increment_sha256))) {
      await blobs.delete(row.increment_sha256);
    }
  }
}

async function sweepRetained(db: Database, blobs: BlobStore, now: Date): Promise<void> {
  const expired = await db
    .selectFrom('seals')
    .select(['organisation_id', 'mode', 'id', 'retained_sha256'])
    .where('retained_sha256', 'is not', null)
    .where('retained_expires_at', '<=', now)
    .limit(maxBatch)
    .execute();
  for (const row of expired) {
    await db
      .updateTable('seals')
      // The time stays: who asks for the file is told that it is gone.
      .set({ retained_sha256: null })
      .where('organisation_id', '=', row.organisation_id)
      .where('mode', '=', row.mode)
      .where('id', '=', row.id)
      .execute();
    if (row.retained_sha256 !== null && !(await isBlobNamed(db, row.retained_sha256))) {
      await blobs.delete(row.retained_sha256);
    }
  }
}

/** Removes blobs that no row names, left by a crash between a blob and its transaction. */
export async function sweepBlobs(
  db: Database,
  blobs: BlobStore,
  options: { readonly now: Date; readonly olderThanMs: number },
): Promise<number> {
  let removed = 0;
  for await (const blob of blobs.list()) {
    // A young one may belong to a transaction that is still on its way.
    if (options.now.getTime() - blob.storedAt.getTime() < options.olderThanMs) continue;
    if (await isBlobNamed(db, blob.sha256)) continue;
    await blobs.delete(blob.sha256);
    removed += 1;
  }
  return removed;
}

async function isBlobNamed(db: Database, sha256: Uint8Array): Promise<boolean> {
  const row = await db
    .selectFrom('seals')
    .select('id')
    .where((either) =>
      either.or([
        either('increment_sha256', '=', Buffer.from(sha256)),
        either('retained_sha256', '=', Buffer.from(sha256)),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
