import type { IncomingMessage } from 'node:http';
import { SigillumError } from '@sigillum/errors';
import { type ApiKey, findApiKey, hashApiKey } from '@sigillum/store';
import type { Services } from '../services.ts';
import type { Scope } from './scope.ts';

/** RFC 6750 §2.1 with the form of our keys: the mode stands in them, for people. */
const bearer = /^Bearer +(sk_(test|live)_[A-Za-z0-9_-]{16,128})$/i;

/**
 * Who calls, by the API key in `Authorization`.
 * @throws SigillumError `request_unauthenticated`, the same for a missing, malformed, unknown and revoked key;
 * `request_forbidden` when it has none of the scopes that are enough
 */
export async function authenticate(
  services: Services,
  request: IncomingMessage,
  anyOf: readonly Scope[],
): Promise<ApiKey> {
  const [, key, mode] = bearer.exec(request.headers.authorization ?? '') ?? [];
  const caller = key === undefined ? undefined : await findApiKey(services.db, hashApiKey(key, services.pepper));
  if (caller === undefined || caller.mode !== mode) {
    throw new SigillumError('request_unauthenticated', 'Send a valid API key: Authorization: Bearer sk_…');
  }
  if (!anyOf.some((scope) => caller.scopes.includes(scope))) {
    throw new SigillumError('request_forbidden', `This API key does not have the scope ${anyOf.join(' or ')}.`);
  }
  return caller;
}
