import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** The header that tells the caller our id of its request. Ids from outside are never taken over. */
export const requestIdHeader = 'Sigillum-Request-Id';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `req_` and the 26 Crockford characters of a UUIDv7 (RFC 9562 §5.7). */
export function createRequestId(now: number = Date.now(), random: (size: number) => Uint8Array = randomBytes): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.set(random(10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let value = bytes.readBigUInt64BE(0) * 2n ** 64n + bytes.readBigUInt64BE(8);
  let text = '';
  for (let index = 0; index < 26; index += 1) {
    text = crockford.charAt(Number(value % 32n)) + text;
    value /= 32n;
  }
  return `req_${text}`;
}

/** The id of the request that this response answers. */
export function getRequestId(response: ServerResponse): string {
  const header = response.getHeader(requestIdHeader);
  return typeof header === 'string' ? header : 'req_unknown';
}
