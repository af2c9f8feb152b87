import { findReferences, type PdfDocument } from '@sigillum/pdf';
import { refuseInput } from './input-policy.ts';

/** Bytes from an entry's offset on in which its object must begin: white space, a number, a generation. */
const headLength = 40;
/** Entries looked at: a book of thousands of pages has some 100,000. What is beyond them costs each reader seconds too. */
const maxEntries = 200_000;
const space = 0x20;
const [digit0, digit9] = [0x30, 0x39];

/**
 * Refuses a file in which an object that something refers to doesn't begin where the cross-reference says. Readers that
 * meet one look for the objects themselves and take the last they find: they may show another document than the one that
 * the cross-reference shows. Only the heads of objects are read; who refers to what is asked only when one is missing, since
 * wrong entries for objects that nobody needs are normal.
 */
export function assertObjectsPlaced(document: PdfDocument): void {
  const misplaced = new Set<number>();
  let left = maxEntries;
  const seen = document.sections.length > 1 ? new Set<number>() : undefined;
  for (const section of document.sections) {
    for (const number of section.numbers()) {
      if (left-- === 0) return;
      if (seen?.has(number)) continue;
      seen?.add(number);
      const entry = document.findEntry(number);
      // an entry at offset 0 is a free one
      if (entry?.type !== 'plain' || entry.offset === 0) continue;
      if (!isPlaced(document, entry.offset + document.base, number, entry.generation)) misplaced.add(number);
    }
  }
  if (misplaced.size === 0) return;
  const { places } = findReferences(document, misplaced);
  const [number] = places.keys();
  if (number === undefined) return;
  throw refuseInput('objects_placed', {
    sentence: `The PDF says where object ${number} begins, but it is not there. Save the PDF again, and try again.`,
  });
}

/** Whether `number generation` begins at an offset, leading white space apart. */
function isPlaced({ source }: PdfDocument, offset: number, number: number, generation: number): boolean {
  if (offset >= source.size) return false;
  const bytes = source.read(offset, Math.min(headLength, source.size - offset));
  const first = readCount(bytes, 0);
  return first.value === number && readCount(bytes, first.end).value === generation;
}

function readCount(bytes: Uint8Array, from: number): { value: number; end: number } {
  let at = from;
  // white space (ISO 32000-2 table 1) is all at or below the space
  while (at < bytes.length && (bytes[at] ?? 0) <= space) at++;
  let value = at < bytes.length ? 0 : -1;
  const start = at;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < digit0 || byte > digit9) break;
    value = value * 10 + byte - digit0;
  }
  return { value: at === start ? -1 : value, end: at };
}
