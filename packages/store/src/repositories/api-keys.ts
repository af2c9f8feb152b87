import { createHmac } from 'node:crypto';
import type { Executor } from '../database/open-database.ts';
import type { Tenant } from '../database/schema.ts';
import { createUuid } from '../ids/uuid-v7.ts';

/** Who calls: the key's id, its organisation and mode, and what it may do. */
export type ApiKey = Tenant & { readonly id: string; readonly scopes: readonly string[] };

/** How much of a key people may see: `sk_test_` and four characters. */
const prefixLength = 12;

/** HMAC-SHA-256 of the key: without the pepper, a stolen database gives no key and no way to test guesses. */
export function hashApiKey(key: string, pepper: Uint8Array): Uint8Array {
  return createHmac('sha256', pepper).update(key, 'utf8').digest();
}

/** The key with that hash, unless revoked. The hash is looked up by index: no secret is compared byte by byte. */
export async function findApiKey(db: Executor, hash: Uint8Array): Promise<ApiKey | undefined> {
  const row = await db
    .selectFrom('api_keys')
    .select(['id', 'organisation_id', 'mode', 'scopes'])
    .where('hash', '=', Buffer.from(hash))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { id: row.id, organisationId: row.organisation_id, mode: row.mode, scopes: row.scopes };
}

/**
 * Makes sure the key works and has exactly these scopes; a key that was revoked stays revoked.
 * @returns whether it is new
 */
export async function ensureApiKey(
  db: Executor,
  tenant: Tenant,
  input: {
    readonly name: string;
    readonly key: string;
    readonly pepper: Uint8Array;
    readonly scopes: readonly string[];
  },
): Promise<boolean> {
  const id = createUuid();
  const row = await db
    .insertInto('api_keys')
    .values({
      organisation_id: tenant.organisationId,
      mode: tenant.mode,
      id,
      name: input.name,
      prefix: input.key.slice(0, prefixLength),
      hash: Buffer.from(hashApiKey(input.key, input.pepper)),
      scopes: [...input.scopes],
    })
    .onConflict((conflict) =>
      conflict.columns(['hash', 'organisation_id', 'mode']).doUpdateSet({ scopes: [...input.scopes] }),
    )
    .returning('id')
    .executeTakeFirst();
  return row?.id === id;
}
