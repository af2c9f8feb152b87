import { SigillumError } from '@sigillum/errors';
import { findSeal, findUuid, type Seal, type Tenant } from '@sigillum/store';
import type { Services } from '../services.ts';

/** What is looked for, in the words of its paths. */
export type WorkName = 'seal' | 'extension';

/**
 * The seal or extension of that public id, in this organisation and mode only.
 * @throws SigillumError `seal_not_found`, `extension_not_found`
 */
export async function getWork(services: Services, tenant: Tenant, name: WorkName, id: string): Promise<Seal> {
  const uuid = findUuid(name === 'seal' ? 'seal' : 'ext', id);
  const found = uuid === undefined ? undefined : await findSeal(services.db, tenant, uuid);
  if (found !== undefined && (found.kind === 'extension') === (name === 'extension')) return found;
  throw new SigillumError(`${name}_not_found`, `There is no ${name} with this id.`);
}
