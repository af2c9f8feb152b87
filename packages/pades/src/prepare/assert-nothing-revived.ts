import { type ByteSource, findReferences, type PdfDocument } from '@sigillum/pdf';
import { refuseInput } from './input-policy.ts';
import { isMissing } from './walk-shown-objects.ts';

/** Bytes searched at most, a second or two of them: larger files are refused, since nobody can say what is in them. */
const maxSearched = 256 * 1024 * 1024;
const chunkSize = 1024 * 1024;
/** Bytes before `obj` in which number and generation stand. */
const headLength = 64;
/** White space before an object, which some tables count as its own. */
const maxSpace = 16;
const heads = /(?<!\d)(\d{1,10})[\s\0]{1,16}(\d{1,5})[\s\0]{1,16}obj/g;

type Head = { readonly number: number; readonly generation: number; readonly offset: number };

/**
 * For a file that refers to objects that aren't there: poppler then throws the cross-reference away, searches the file, and
 * takes the last definition of every object that it finds. Refuses a file in which that brings up another document: another
 * definition of an object in use, or one of an object that is referred to and isn't there.
 */
export function assertNothingRevived(document: PdfDocument): void {
  const revived = new Set<number>();
  for (const head of findHeads(document)) {
    if (isMissing(document, head.number)) revived.add(head.number);
    else if (wins(document, head)) throw refuse(`another object ${head.number}`);
  }
  if (revived.size === 0) return;
  const [number] = findReferences(document, revived).places.keys();
  if (number !== undefined) throw refuse(`an object ${number} that was deleted`);
}

function refuse(what: string): Error {
  return refuseInput('objects_placed', {
    sentence: `The PDF refers to objects that it does not have, and readers that search for them show ${what}. Save the PDF again, and try again.`,
  });
}

/** Whether a search takes this definition of an object in use instead of the one that the cross-reference names. */
function wins(document: PdfDocument, { number, generation, offset }: Head): boolean {
  const entry = document.findEntry(number);
  if (entry === undefined || entry.type === 'free') return true;
  const home = entry.type === 'compressed' ? document.findEntry(entry.container) : entry;
  if (home?.type !== 'plain') return true;
  const used = entry.type === 'plain' ? entry.generation : 0;
  return generation > used || (generation === used && offset > home.offset + document.base + maxSpace);
}

/** Everything in the file that looks like the beginning of an object. */
function* findHeads({ source }: PdfDocument): IterableIterator<Head> {
  if (source.size > maxSearched) {
    throw refuseInput('limits_kept', {
      sentence: 'The PDF refers to objects that it does not have, and is too large to be searched for them.',
    });
  }
  for (let start = 0; start < source.size; start += chunkSize) {
    const from = Math.max(0, start - headLength);
    const text = readText(source, from, Math.min(start + chunkSize, source.size));
    for (const { 1: number, 2: generation, index } of text.matchAll(heads)) {
      // cut off, and found in the chunk before
      if (index === 0 && from > 0) continue;
      yield { number: Number(number), generation: Number(generation), offset: from + index };
    }
  }
}

function readText(source: ByteSource, start: number, end: number): string {
  const bytes = source.read(start, end - start);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
