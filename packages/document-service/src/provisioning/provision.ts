import { SigillumError } from '@sigillum/errors';
import { readSecretFile } from '@sigillum/service-kit';
import {
  appendEvent,
  type Database,
  encodeId,
  ensureApiKey,
  ensureCredential,
  ensureOrganisation,
  inTransaction,
  setDefaultCredential,
} from '@sigillum/store';
import { scopes } from '../http/scope.ts';
import type { ProvisionFile } from './provision-file.ts';
import { readCredential } from './read-credential.ts';

/** 22 characters of base64url are 128 bits: a key that can be guessed protects nothing. */
const keyPattern = /^sk_(test|live)_[A-Za-z0-9_-]{22,128}$/;

/** What a run of {@link provision} did. */
export type ProvisionReport = {
  readonly organisation: string;
  readonly newApiKey: boolean;
  readonly credentials: Readonly<Record<string, 'created' | 'renewed' | 'none'>>;
};

/**
 * Makes the organisation, its API key and its credentials what the file says, in one transaction. Run at every start: a
 * second run changes nothing, a reissued certificate is taken over, statuses stay.
 *
 * @throws SigillumError `config_invalid` when files don't fit together
 */
export async function provision(
  db: Database,
  file: ProvisionFile,
  pepper: Uint8Array,
  now: Date,
): Promise<ProvisionReport> {
  const { name, mode } = file.organisation;
  const key = readSecretFile(file.api_key_file).toString('utf8');
  if (keyPattern.exec(key)?.[1] !== mode) {
    throw new SigillumError('config_invalid', `The API key has to be sk_${mode}_ and at least 22 random characters.`);
  }
  const inputs = file.credentials.map(readCredential);
  return inTransaction(db, async (transaction) => {
    const organisationId = await ensureOrganisation(transaction, name);
    const tenant = { organisationId, mode };
    const record = (type: string, data: Record<string, string>) =>
      appendEvent(transaction, { ...tenant, type, occurredAt: now, data });
    const newApiKey = await ensureApiKey(transaction, tenant, { name: 'provisioned', key, pepper, scopes });
    if (newApiKey) await record('api_key.created', { name: 'provisioned' });
    const changes: [string, 'created' | 'renewed' | 'none'][] = [];
    for (const input of inputs) {
      const { id, change } = await ensureCredential(transaction, tenant, input);
      changes.push([input.name, change]);
      if (change !== 'none') {
        await record(`credential.${change}`, {
          credential: encodeId('cred', id),
          name: input.name,
          key_id: input.keyId,
        });
      }
      if (input.name === file.default_credential) await setDefaultCredential(transaction, tenant, id);
    }
    return { organisation: encodeId('org', organisationId), newApiKey, credentials: Object.fromEntries(changes) };
  });
}
