import type { Tenant } from '../database/schema.ts';
import { encodeId } from '../ids/public-id.ts';

/** The id from which a journal's first previous hash is made. Each mode has a chain of its own: one can be shown without the other. */
export function getEventChainId({ organisationId, mode }: Tenant): string {
  return `journal:${encodeId('org', organisationId)}:${mode}`;
}
