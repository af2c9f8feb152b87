import { hexValue, isWhiteSpace } from '../syntax/characters.ts';
import { damagedStream } from './damaged-stream.ts';
import { DecodedBytes } from './decoded-bytes.ts';

const endOfData = 0x3e;

/** ASCIIHexDecode (ISO 32000-2 §7.4.2). */
export function decodeAsciiHex(bytes: Uint8Array, most: number): Uint8Array {
  const out = new DecodedBytes(most);
  let high = -1;
  for (const byte of bytes) {
    if (byte === endOfData) break;
    if (isWhiteSpace(byte)) continue;
    const value = hexValue(byte);
    if (value < 0) throw damagedStream('has something else than hexadecimal digits');
    if (high < 0) high = value;
    else {
      out.byte(high * 16 + value);
      high = -1;
    }
  }
  if (high >= 0) out.byte(high * 16);
  return out.take();
}

/** ASCII85Decode (§7.4.3): groups of five digits are four bytes, `z` is four zeros. */
export function decodeAscii85(bytes: Uint8Array, most: number): Uint8Array {
  const out = new DecodedBytes(most);
  let value = 0;
  let digits = 0;
  for (const byte of bytes) {
    // ~> ends it
    if (byte === 0x7e) break;
    if (isWhiteSpace(byte)) continue;
    if (byte === 0x7a && digits === 0) out.fill(0, 4);
    else if (byte < 0x21 || byte > 0x75) throw damagedStream('has something else than base-85 digits');
    else {
      value = value * 85 + byte - 0x21;
      if (++digits < 5) continue;
      putGroup(out, value, 4);
      value = 0;
      digits = 0;
    }
  }
  if (digits === 1) throw damagedStream('ends in the middle of a base-85 group');
  if (digits > 1) {
    for (let missing = digits; missing < 5; missing++) value = value * 85 + 84;
    putGroup(out, value, digits - 1);
  }
  return out.take();
}

function putGroup(out: DecodedBytes, value: number, bytes: number): void {
  if (value > 0xff_ff_ff_ff) throw damagedStream('has a base-85 group that is too large');
  for (let i = 0; i < bytes; i++) out.byte((value >>> (24 - 8 * i)) & 0xff);
}
