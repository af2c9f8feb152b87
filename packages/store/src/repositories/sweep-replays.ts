import type { BlobStore } from '../blobs/blob-store.ts';
import type { Database } from '../database/open-database.ts';

/** One call forgets at most so many; the sweeper comes again. */
const maxBatch = 500;

/** Forgets what replays no longer need: expired idempotency keys, and the increments of seals past their time. */
export async function sweepReplays(db: Database, blobs: BlobStore, now: Date): Promise<void> {
  await db.deleteFrom('idempotency_keys').where('expires_at', '<=', now).execute();
  const expired = await db
    .selectFrom('seals')
    .select(['organisation_id', 'mode', 'id', 'increment_sha256'])
    .where('increment_expires_at', '<=', now)
    .limit(maxBatch)
    .execute();
  for (const row of expired) {
    await db
      .updateTable('seals')
      .set({ increment_sha256: null, increment_expires_at: null })
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
    .where('increment_sha256', '=', Buffer.from(sha256))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
