/**
 * Signatures as the bytes show them, for the judges that know CMS but not PDF. On purpose it shares nothing with the
 * product's reader: no xref, no objects, only a `/ByteRange` whose gap is one hexadecimal string.
 */
export type ExtractedSignature = {
  readonly byteRange: readonly [number, number, number, number];
  /** The whole of /Contents, padding included. */
  readonly contents: Uint8Array;
};

/** Files with more are nobody's contract; the scan stays linear. */
const maxSignatures = 200;

const keyword = Buffer.from('/ByteRange');

/** In the order of their ends, each range once. */
export function extractSignatures(file: Buffer): ExtractedSignature[] {
  const found = new Map<string, ExtractedSignature>();
  for (let at = file.indexOf(keyword); at >= 0 && found.size < maxSignatures; at = file.indexOf(keyword, at + 1)) {
    const byteRange = readNumbers(file, at + keyword.length);
    if (byteRange === undefined) continue;
    const contents = readGap(file, byteRange);
    if (contents !== undefined) found.set(byteRange.join(), { byteRange, contents });
  }
  return [...found.values()].sort((a, b) => endOf(a.byteRange) - endOf(b.byteRange));
}

export function endOf(byteRange: readonly number[]): number {
  return (byteRange[2] ?? 0) + (byteRange[3] ?? 0);
}

export function signedBytes(file: Buffer, [a, b, c, d]: ExtractedSignature['byteRange']): Buffer {
  return Buffer.concat([file.subarray(a, a + b), file.subarray(c, c + d)]);
}

function readNumbers(file: Buffer, at: number): ExtractedSignature['byteRange'] | undefined {
  // Four numbers of at most ten digits, with the padding that some producers leave for them.
  const text = file.toString('latin1', at, at + 200);
  const open = text.indexOf('[');
  const close = text.indexOf(']');
  if (open < 0 || close < open || text.slice(0, open).trim() !== '') return undefined;
  const [a, b, c, d, ...more] = text
    .slice(open + 1, close)
    .trim()
    .split(/\s+/)
    .map(Number);
  if (a === undefined || b === undefined || c === undefined || d === undefined || more.length > 0) return undefined;
  const valid = [a, b, c, d].every((n) => Number.isSafeInteger(n) && n >= 0) && a + b < c && c + d <= file.length;
  return valid ? [a, b, c, d] : undefined;
}

function readGap(file: Buffer, [a, b, c]: ExtractedSignature['byteRange']): Uint8Array | undefined {
  const gap = file.toString('latin1', a + b, c).trim();
  if (!gap.startsWith('<') || !gap.endsWith('>')) return undefined;
  const hex = gap.slice(1, -1).replace(/\s/g, '');
  // Uneven or other characters: Buffer would silently stop there.
  return hex.length % 2 === 0 && !/[^0-9a-fA-F]/.test(hex) ? Buffer.from(hex, 'hex') : undefined;
}
