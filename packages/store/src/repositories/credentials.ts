import type { Selectable } from 'kysely';
import type { Executor } from '../database/open-database.ts';
import type { CredentialStatus, CredentialTable, Tenant } from '../database/schema.ts';
import { findUuid } from '../ids/public-id.ts';
import { createUuid } from '../ids/uuid-v7.ts';

/** A key of the HSM with its certificate, usable by one organisation in one mode. */
export type Credential = Tenant & {
  readonly id: string;
  readonly name: string;
  /** CKA_ID in lower-case hex: how hash-signer knows the key. */
  readonly keyId: string;
  /** A name of `@sigillum/algorithms`. */
  readonly algorithm: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER, issuing CA first. */
  readonly chain: readonly Uint8Array[];
  readonly status: CredentialStatus;
  readonly isDefault: boolean;
  readonly createdAt: Date;
};

export type CredentialInput = Pick<Credential, 'name' | 'keyId' | 'algorithm' | 'certificate' | 'chain'>;

/** The credential of that name or public id, in this organisation and mode only. */
export async function findCredential(db: Executor, tenant: Tenant, nameOrId: string): Promise<Credential | undefined> {
  // PostgreSQL's text can't hold it, and refuses the whole query.
  if (nameOrId.includes('\0')) return undefined;
  const uuid = findUuid('cred', nameOrId);
  const query = ofTenant(db, tenant);
  const row = await (uuid === undefined
    ? query.where('name', '=', nameOrId)
    : query.where('id', '=', uuid)
  ).executeTakeFirst();
  return row === undefined ? undefined : toCredential(row);
}

/** The one that is used when a caller names none. */
export async function findDefaultCredential(db: Executor, tenant: Tenant): Promise<Credential | undefined> {
  const row = await ofTenant(db, tenant).where('is_default', '=', true).executeTakeFirst();
  return row === undefined ? undefined : toCredential(row);
}

/** A page of credentials, oldest first, after the one with the given UUID. */
export async function listCredentials(
  db: Executor,
  tenant: Tenant,
  page: { readonly limit: number; readonly after?: string },
): Promise<readonly Credential[]> {
  let query = ofTenant(db, tenant).orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  return (await query.execute()).map(toCredential);
}

/**
 * Makes the credential, or gives it a renewed certificate; its status stays as it is.
 * @returns what happened
 */
export async function ensureCredential(
  db: Executor,
  tenant: Tenant,
  input: CredentialInput,
): Promise<{ readonly id: string; readonly change: 'created' | 'renewed' | 'none' }> {
  const known = await ofTenant(db, tenant).where('name', '=', input.name).forUpdate().executeTakeFirst();
  const values = {
    key_id: input.keyId,
    algorithm: input.algorithm,
    certificate: Buffer.from(input.certificate),
    chain: input.chain.map((certificate) => Buffer.from(certificate)),
  };
  if (known === undefined) {
    const id = createUuid();
    await db
      .insertInto('credentials')
      .values({
        organisation_id: tenant.organisationId,
        mode: tenant.mode,
        id,
        name: input.name,
        status: 'active',
        is_default: false,
        ...values,
      })
      .execute();
    return { id, change: 'created' };
  }
  if (isSame(known, input)) return { id: known.id, change: 'none' };
  await db
    .updateTable('credentials')
    .set({ ...values, changed_at: new Date() })
    .where('organisation_id', '=', tenant.organisationId)
    .where('mode', '=', tenant.mode)
    .where('id', '=', known.id)
    .execute();
  return { id: known.id, change: 'renewed' };
}

/** Makes one credential the default of its organisation and mode. Call it in a transaction. */
export async function setDefaultCredential(db: Executor, tenant: Tenant, id: string): Promise<void> {
  const update = (isDefault: boolean) =>
    db
      .updateTable('credentials')
      .set({ is_default: isDefault })
      .where('organisation_id', '=', tenant.organisationId)
      .where('mode', '=', tenant.mode);
  await update(false).where('is_default', '=', true).where('id', '<>', id).execute();
  await update(true).where('id', '=', id).where('is_default', '=', false).execute();
}

/** Suspends, reactivates or revokes a credential. Revoking can't be undone. @returns whether anything changed */
export async function setCredentialStatus(
  db: Executor,
  tenant: Tenant,
  id: string,
  status: CredentialStatus,
): Promise<boolean> {
  const result = await db
    .updateTable('credentials')
    .set({ status, changed_at: new Date() })
    .where('organisation_id', '=', tenant.organisationId)
    .where('mode', '=', tenant.mode)
    .where('id', '=', id)
    .where('status', 'not in', ['revoked', status])
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

function ofTenant(db: Executor, tenant: Tenant) {
  return db
    .selectFrom('credentials')
    .selectAll()
    .where('organisation_id', '=', tenant.organisationId)
    .where('mode', '=', tenant.mode);
}

function isSame(row: Selectable<CredentialTable>, input: CredentialInput): boolean {
  return (
    row.key_id === input.keyId &&
    row.algorithm === input.algorithm &&
    Buffer.from(row.certificate).equals(input.certificate) &&
    Buffer.concat(row.chain).equals(Buffer.concat([...input.chain]))
  );
}

function toCredential(row: Selectable<CredentialTable>): Credential {
  return {
    organisationId: row.organisation_id,
    mode: row.mode,
    id: row.id,
    name: row.name,
    keyId: row.key_id,
    algorithm: row.algorithm,
    certificate: row.certificate,
    chain: row.chain,
    status: row.status,
    isDefault: row.is_default,
    createdAt: row.created_at,
  };
}
