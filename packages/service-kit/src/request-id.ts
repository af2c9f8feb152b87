import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** The header that tells the caller our id of its request. Ids from outside are never taken over. */
export const requestIdHeader = 'Sigillum-Request-Id';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Bytes of a UUIDv4, whose random bits Node draws for many at once: a tenth of what `randomBytes` costs. */
function drawUuid(): Uint8Array {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
}

/**
 * `req_` and the 26 Crockford characters of a UUIDv7 (RFC 9562 §5.7): 48 bits of time, then what a UUIDv4 has there.
 *
 * @param draw 16 bytes; the first six are replaced by the time.
 */
export function createRequestId(now: number = Date.now(), draw: () => Uint8Array = drawUuid): string {
  const bytes = Buffer.from(draw());
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let text = 'req_';
  // Five bits a character: 26 hold 130, so two zeros go before the first byte.
  let [held, count] = [0, 2];
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (count += 8; count >= 5; count -= 5) text += crockford.charAt((held >> (count - 5)) & 31);
    held &= 31;
  }
  return text;
}

/** The id of the request that this response answers. */
export function getRequestId(response: ServerResponse): string {
  const header = response.getHeader(requestIdHeader);
  return typeof header === 'string' ? header : 'req_unknown';
}
