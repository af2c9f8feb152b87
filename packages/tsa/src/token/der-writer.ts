/** Octets of identifier and length before a content of that length (X.690 §8.1.3, definite and minimal). */
export function lengthOfHeader(length: number): number {
  if (length < 0x80) return 2;
  if (length < 0x100) return 3;
  return length < 0x1_0000 ? 4 : 5;
}

/** The length of a whole element around a content of that length. */
export function wrapLength(length: number): number {
  return lengthOfHeader(length) + length;
}

/** Writes identifier and length; returns where the content begins. At most 16 MiB − 1. */
export function writeHeader(out: Uint8Array, at: number, tag: number, length: number): number {
  const octets = lengthOfHeader(length);
  out[at] = tag;
  if (octets === 2) {
    out[at + 1] = length;
  } else {
    out[at + 1] = 0x80 | (octets - 2);
    for (let index = octets - 1, rest = length; index > 1; index--, rest >>= 8) out[at + index] = rest & 0xff;
  }
  return at + octets;
}

/** Copies bytes; returns where they end. */
export function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  out.set(bytes, at);
  return at + bytes.length;
}

/** Content octets of the INTEGER ≥ 0 with that magnitude, big-endian (X.690 §8.3.2: in the fewest octets). */
export function toIntegerContent(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  if ((magnitude[start] ?? 0) < 0x80) return magnitude.subarray(start);
  const content = new Uint8Array(magnitude.length - start + 1);
  content.set(magnitude.subarray(start), 1);
  return content;
}
