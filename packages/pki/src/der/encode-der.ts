import { compareBytes } from './compare-bytes.ts';
import { encodeOidContent } from './oid.ts';
import { contextTag, primitiveContextTag, tags } from './tags.ts';

const utf8 = new TextEncoder();

/**
 * Tag, definite minimal length, content (X.690 §8.1, §10.1). `tag` is the whole identifier octet. For lists whose length
 * has no small bound (revoked certificates) pass `concatBytes(items)`: arguments live on the stack.
 */
export function encodeTlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const lengthOctets = length < 0x80 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : length < 0x1000000 ? 4 : 5;
  const out = new Uint8Array(1 + lengthOctets + length);
  out[0] = tag;
  if (lengthOctets === 1) {
    out[1] = length;
  } else {
    out[1] = 0x80 | (lengthOctets - 1);
    for (let index = lengthOctets, rest = length; index > 1; index--, rest = Math.floor(rest / 256)) {
      out[index] = rest & 0xff;
    }
  }
  let offset = 1 + lengthOctets;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

export function encodeSequence(...items: readonly Uint8Array[]): Uint8Array {
  return encodeTlv(tags.sequence, ...items);
}

/** SET OF: the items come out in DER order whatever order they came in (X.690 §11.6). */
export function encodeSet(...items: readonly Uint8Array[]): Uint8Array {
  return encodeTlv(tags.set, ...items.toSorted(compareBytes));
}

/** `[number] EXPLICIT`. */
export function encodeExplicit(number: number, ...items: readonly Uint8Array[]): Uint8Array {
  return encodeTlv(contextTag(number), ...items);
}

/** `[number] IMPLICIT` over a primitive type: `content` without its own tag and length. */
export function encodeImplicitPrimitive(number: number, content: Uint8Array): Uint8Array {
  return encodeTlv(primitiveContextTag(number), content);
}

/** The same value under another identifier octet: `[n] IMPLICIT` over an encoding that exists already. */
export function retag(tag: number, encoded: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(encoded);
  copy[0] = tag;
  return copy;
}

export function encodeBoolean(value: boolean): Uint8Array {
  return encodeTlv(tags.boolean, Uint8Array.of(value ? 0xff : 0x00));
}

/** A signed INTEGER of any size, in the fewest octets (X.690 §8.3.2). */
export function encodeInteger(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && value >= 0 && value < 0x80) return Uint8Array.of(tags.integer, 1, value);
  return encodeTlv(tags.integer, integerContent(BigInt(value)));
}

/** An INTEGER ≥ 0 from big-endian bytes, with or without leading zeros: serial numbers, nonces. */
export function encodeUnsignedInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  if (digits.length === 0) return encodeInteger(0);
  return (digits[0] ?? 0) >= 0x80 ? encodeTlv(tags.integer, Uint8Array.of(0), digits) : encodeTlv(tags.integer, digits);
}

export function encodeEnumerated(value: number): Uint8Array {
  return encodeTlv(tags.enumerated, integerContent(BigInt(value)));
}

export function encodeNull(): Uint8Array {
  return Uint8Array.of(tags.null, 0);
}

/** An OBJECT IDENTIFIER from dotted decimals; throws RangeError when they are not one. */
export function encodeOid(dotted: string): Uint8Array {
  return encodeTlv(tags.oid, encodeOidContent(dotted));
}

export function encodeOctetString(bytes: Uint8Array): Uint8Array {
  return encodeTlv(tags.octetString, bytes);
}

/** A BIT STRING. `unusedBits` are the low bits of the last byte that don't count; they must be zero (X.690 §11.2.1). */
export function encodeBitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return encodeTlv(tags.bitString, Uint8Array.of(unusedBits), bytes);
}

/** A BIT STRING with named bits, e.g. KeyUsage or PKIFailureInfo: trailing zero bits are cut (X.690 §11.2.2). */
export function encodeNamedBits(bits: readonly number[]): Uint8Array {
  if (bits.length === 0) return encodeBitString(new Uint8Array(0));
  const highest = Math.max(...bits);
  const bytes = new Uint8Array((highest >> 3) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return encodeBitString(bytes, 7 - (highest & 7));
}

export function encodeUtf8String(text: string): Uint8Array {
  return encodeTlv(tags.utf8String, utf8.encode(text));
}

/** A PrintableString; throws RangeError for characters outside its alphabet (X.680 §41.4). */
export function encodePrintableString(text: string): Uint8Array {
  if (!/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)) throw new RangeError('not a PrintableString');
  return encodeTlv(tags.printableString, utf8.encode(text));
}

/** An IA5String; throws RangeError for characters outside ASCII. */
export function encodeIa5String(text: string): Uint8Array {
  const bytes = utf8.encode(text);
  if (bytes.some((byte) => byte > 0x7f)) throw new RangeError('not an IA5String');
  return encodeTlv(tags.ia5String, bytes);
}

function integerContent(value: bigint): Uint8Array {
  const octets: number[] = [];
  let rest = value;
  for (;;) {
    const octet = Number(BigInt.asUintN(8, rest));
    octets.push(octet);
    rest >>= 8n;
    // Done when what is left is only the sign, and the last octet shows that sign.
    if ((rest === 0n && octet < 0x80) || (rest === -1n && octet >= 0x80)) break;
  }
  return Uint8Array.from(octets.toReversed());
}
