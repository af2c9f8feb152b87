import { SigillumError } from '@sigillum/errors';
import type { RevocationSource } from '@sigillum/pades';
import type { Services } from '../services.ts';

/**
 * Where validation data comes from.
 * @throws SigillumError `seal_level_unsupported` when the service has no source
 */
export function getRevocation({ revocation }: Services, pointer: string): RevocationSource {
  if (revocation !== undefined) return revocation;
  throw new SigillumError('seal_level_unsupported', 'This service has no source of revocation data: only b-t.', {
    fields: [{ pointer, detail: 'Must be b-t.' }],
  });
}
