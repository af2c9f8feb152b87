/** An object identifier has at most this many content octets: the longest in use have about 20, 2.25 ones 21. */
const maxContentLength = 64;

/** Content octets of an OBJECT IDENTIFIER (X.690 §8.19). Throws RangeError when `dotted` is not one. */
export function encodeOidContent(dotted: string): Uint8Array {
  if (!/^[012](\.(0|[1-9]\d*))+$/.test(dotted)) throw new RangeError(`not an object identifier: ${dotted}`);
  const [first, second, ...others] = dotted.split('.');
  if (first !== '2' && Number(second) > 39) throw new RangeError(`not an object identifier: ${dotted}`);
  const octets: number[] = [];
  pushArc(octets, String(second), 40 * Number(first));
  for (const arc of others) pushArc(octets, arc, 0);
  if (octets.length > maxContentLength) throw new RangeError('the object identifier is too long');
  return Uint8Array.from(octets);
}

/** Base 128, most significant first (§8.19.2). Arcs of UUIDs have 128 bits; nearly all others are small. */
function pushArc(octets: number[], decimal: string, added: number): void {
  const value = Number(decimal) + added;
  if (value <= 0x7fff_ffff) {
    for (let shift = 28; shift > 0; shift -= 7) if (value >> shift > 0) octets.push(((value >> shift) & 0x7f) | 0x80);
    octets.push(value & 0x7f);
    return;
  }
  const digits: number[] = [];
  for (let rest = BigInt(decimal) + BigInt(added); rest > 0n; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
  digits.reverse();
  octets.push(...digits.slice(0, -1), (digits.at(-1) ?? 0) & 0x7f);
}

/** Whether content octets are an OBJECT IDENTIFIER in its only encoding; what it says is not needed. */
export function isOidContent(content: Uint8Array): boolean {
  if (content.length === 0 || content.length > maxContentLength || (content.at(-1) ?? 0x80) >= 0x80) return false;
  for (let index = 0; index < content.length; index++) {
    // X.690 §8.19.2: the leading octet of a subidentifier is never 0x80.
    if (content[index] === 0x80 && (index === 0 || (content[index - 1] ?? 0) < 0x80)) return false;
  }
  return true;
}

/** Dotted decimals of OBJECT IDENTIFIER content octets, or undefined when they are not one in its only encoding. */
export function parseOidContent(content: Uint8Array): string | undefined {
  if (!isOidContent(content)) return undefined;
  const arcs: string[] = [];
  let small = 0;
  let large: bigint | undefined;
  for (const octet of content) {
    if (large === undefined && small >= 0x1000000) large = BigInt(small);
    if (large === undefined) small = small * 128 + (octet & 0x7f);
    else large = (large << 7n) | BigInt(octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(...(arcs.length === 0 ? splitFirst(large ?? BigInt(small)) : [String(large ?? small)]));
      small = 0;
      large = undefined;
    }
  }
  return arcs.join('.');
}

function splitFirst(value: bigint): string[] {
  if (value < 40n) return ['0', String(value)];
  if (value < 80n) return ['1', String(value - 40n)];
  return ['2', String(value - 80n)];
}
