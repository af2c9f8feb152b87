import { damagedStream } from './damaged-stream.ts';
import { DecodedBytes } from './decoded-bytes.ts';

/** RunLengthDecode (ISO 32000-2 §7.4.5): up to 127 the length less one of bytes to copy, from 129 a byte to repeat. */
export function decodeRunLength(bytes: Uint8Array, most: number): Uint8Array {
  const out = new DecodedBytes(most);
  let at = 0;
  for (let length = bytes[at]; length !== undefined && length !== 128; length = bytes[at]) {
    at++;
    if (length < 128) {
      if (at + length + 1 > bytes.length) throw damagedStream('ends in the middle of a run');
      out.bytes(bytes.subarray(at, at + length + 1));
      at += length + 1;
    } else {
      const repeated = bytes[at++];
      if (repeated === undefined) throw damagedStream('ends in the middle of a run');
      out.fill(repeated, 257 - length);
    }
  }
  return out.take();
}
