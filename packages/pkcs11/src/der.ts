/** The few DER encodings that keys and signatures need here; this package lies below `pki`. */

/** One TLV with a definite, minimal length (X.690 §10.1). */
export function encodeTlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  // Keys and signatures stay far below 64 KiB; more would be a bug of ours.
  if (length > 0xffff) throw new RangeError('DER value too long');
  return new Uint8Array(Buffer.concat([Uint8Array.from([tag, ...lengthBytes]), ...contents]));
}

/** INTEGER of an unsigned big-endian number: minimal, with a zero byte before a set top bit (X.690 §8.3). */
export function encodeUnsignedInteger(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const minimal = bytes.subarray(start);
  const needsZero = (minimal[0] ?? 0) >= 0x80;
  return encodeTlv(0x02, needsZero ? Uint8Array.of(0) : new Uint8Array(), minimal);
}
