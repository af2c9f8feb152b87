import type { IncomingMessage } from 'node:http';
import { SigillumError } from '@sigillum/errors';

/**
 * The `Idempotency-Key` of a request, if it has one: 1 to 255 visible ASCII characters, a UUID for instance.
 * @throws SigillumError `request_invalid` with the pointer `/header/idempotency-key`
 */
export function readIdempotencyKey(request: IncomingMessage): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new SigillumError('request_invalid', 'The Idempotency-Key is not valid.', {
    fields: [{ pointer: '/header/idempotency-key', detail: 'Must be one value of 1 to 255 visible ASCII characters.' }],
  });
}
