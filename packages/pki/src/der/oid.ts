/** An object identifier has at most this many content octets: the longest in use have about 20, 2.25 ones 21. */
const maxContentLength = 64;

/** Content octets of an OBJECT IDENTIFIER (X.690 §8.19). Throws RangeError when `dotted` is not one. */
export function encodeOidContent(dotted: string): Uint8Array {
  if (!/^[012](\.(0|[1-9]\d*))+$/.test(dotted)) throw new RangeError(`not an object identifier: ${dotted}`);
  const arcs = dotted.split('.').map(BigInt);
  const [first = 0n, second = 0n, ...others] = arcs;
  if (first < 2n && second > 39n) throw new RangeError(`not an object identifier: ${dotted}`);
  const octets: number[] = [];
  for (const arc of [first * 40n + second, ...others]) {
    const digits: number[] = [Number(arc & 0x7fn)];
    for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
    octets.push(...digits.toReversed());
  }
  if (octets.length > maxContentLength) throw new RangeError('the object identifier is too long');
  return Uint8Array.from(octets);
}

/** Dotted decimals of OBJECT IDENTIFIER content octets, or undefined when they are not one in its only encoding. */
export function parseOidContent(content: Uint8Array): string | undefined {
  if (content.length === 0 || content.length > maxContentLength) return undefined;
  const arcs: string[] = [];
  let small = 0;
  let large: bigint | undefined;
  let fresh = true;
  for (const octet of content) {
    // X.690 §8.19.2: the leading octet of a subidentifier is never 0x80.
    if (fresh && octet === 0x80) return undefined;
    fresh = false;
    if (large === undefined && small >= 0x1000000) large = BigInt(small);
    if (large === undefined) small = small * 128 + (octet & 0x7f);
    else large = (large << 7n) | BigInt(octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(...(arcs.length === 0 ? splitFirst(large ?? BigInt(small)) : [String(large ?? small)]));
      small = 0;
      large = undefined;
      fresh = true;
    }
  }
  return fresh ? arcs.join('.') : undefined;
}

function splitFirst(value: bigint): string[] {
  if (value < 40n) return ['0', String(value)];
  if (value < 80n) return ['1', String(value - 40n)];
  return ['2', String(value - 80n)];
}
