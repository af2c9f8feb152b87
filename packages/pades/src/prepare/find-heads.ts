import type { ByteSource } from '@sigillum/pdf';
import { refuseInput } from './input-policy.ts';

/** Bytes searched at most, a third of a second of them: larger files are refused, since nobody can say what is in them. */
const maxSearched = 256 * 1024 * 1024;
const chunkSize = 1024 * 1024;
/** Bytes of digits and space before `obj` that are gone back over; more is no head that anybody wrote. */
const longestHead = 1024 * 1024;
const word = Buffer.from('obj');
const [digit0, digit9, space] = [0x30, 0x39, 0x20];

export type Head = { readonly number: number; readonly generation: number; readonly offset: number };

/**
 * Everything in a file that looks like the beginning of an object to readers that search: `number generation obj`, with as
 * many zeros and as much space as there may be. It looks for `obj` and goes back from there, each byte once.
 *
 * @throws SigillumError `pdf_limit_exceeded`
 */
export function* findHeads(source: ByteSource): IterableIterator<Head> {
  if (source.size > maxSearched) throw refuseSearch('is too large to be searched for them');
  let kept: Uint8Array = new Uint8Array(0);
  let isCut = false;
  for (let start = 0; start < source.size; start += chunkSize) {
    const chunk = source.read(start, Math.min(chunkSize, source.size - start));
    const bytes = kept.length === 0 ? asBuffer(chunk) : Buffer.concat([kept, chunk]);
    const origin = start - kept.length;
    // what is kept whole was found before
    const first = bytes.indexOf(word, Math.max(0, kept.length - word.length + 1));
    for (let at = first; at >= 0; at = bytes.indexOf(word, at + word.length)) {
      const head = readHead(bytes, at, isCut);
      if (head !== undefined) yield { ...head, offset: origin + head.offset };
    }
    // what may go on in the next chunk is looked at again with it
    let rest = bytes.length;
    while (rest > 0 && isPartOfHead(bytes[rest - 1] ?? 0)) rest--;
    // signatures have megabytes of zeros
    const from = Math.max(rest, bytes.length - longestHead);
    isCut = from > rest || (isCut && from === 0);
    kept = bytes.subarray(from);
  }
}

/** Bytes read at first to see whether white space is all there is: most often it ends with the first of them. */
const fewBytes = 64;

/** Whether something else than white space stands between two places. Heads found lie apart, so that no byte is read twice. */
export function standsBetween(source: ByteSource, from: number, to: number): boolean {
  for (let at = from, length = fewBytes; at < to; at += length, length = chunkSize) {
    if (source.read(at, Math.min(length, to - at)).some((byte) => byte > space)) return true;
  }
  return false;
}

/** The head that ends before `obj`. @param isCut whether its bytes may go on before these */
function readHead(bytes: Uint8Array, end: number, isCut: boolean): Head | undefined {
  const generation = readBack(bytes, end);
  const number = generation?.isThere === true ? readBack(bytes, generation.offset) : undefined;
  if (isCut && (number ?? generation)?.offset === 0) throw refuseSearch('has too much space to be searched for them');
  if (generation === undefined || number?.isThere !== true) return undefined;
  return { number: number.value, generation: generation.value, offset: number.offset };
}

/** The digits before space before an offset, and where they begin. */
function readBack(bytes: Uint8Array, end: number): { value: number; offset: number; isThere: boolean } | undefined {
  let at = end;
  while (at > 0 && isSpace(bytes[at - 1] ?? 0)) at--;
  if (at === end) return undefined;
  let value = 0;
  let scale = 1;
  const last = at;
  for (; at > 0; at--) {
    const byte = bytes[at - 1] ?? 0;
    if (byte < digit0 || byte > digit9) break;
    if (byte !== digit0) value += (byte - digit0) * scale;
    scale *= 10;
  }
  return { value, offset: at, isThere: at < last };
}

/** As `\s` and NUL of a file read as Latin-1: some readers take no-break space for space, too. */
function isSpace(byte: number): boolean {
  return byte === space || (byte >= 0x09 && byte <= 0x0d) || byte === 0 || byte === 0xa0;
}

function isPartOfHead(byte: number): boolean {
  return isSpace(byte) || (byte >= digit0 && byte <= digit9) || word.includes(byte);
}

/** The error for a file that can't be searched. */
export function refuseSearch(why: string): Error {
  return refuseInput('limits_kept', { sentence: `The PDF refers to objects that it does not have, and ${why}.` });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
