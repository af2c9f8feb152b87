import { type ByteSource, findReferences, type PdfDocument } from '@sigillum/pdf';
import { refuseInput } from './input-policy.ts';
import { isMissing } from './walk-shown-objects.ts';

/** Bytes searched at most, a second or two of them: larger files are refused, since nobody can say what is in them. */
const maxSearched = 256 * 1024 * 1024;
const chunkSize = 1024 * 1024;
/** White space before an object, which some tables count as its own. */
const maxSpace = 16;
/** With as many zeros and as much space as there may be: readers that search go on until `obj`. */
const heads = /(?<!\d)(\d+)[\s\0]+(\d+)[\s\0]+obj/g;
const partOfHead = /[\d\s\0obj]/;

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
  if (source.size > maxSearched) throw refuseSearch('is too large to be searched for them');
  let from = 0;
  for (let start = 0; start < source.size; start += chunkSize) {
    const end = Math.min(start + chunkSize, source.size);
    const text = readText(source, from, end);
    for (const { 1: number, 2: generation, index } of text.matchAll(heads)) {
      yield { number: Number(number), generation: Number(generation), offset: from + index };
    }
    // what may go on in the next chunk is read again with it
    let rest = text.length;
    while (rest > 0 && partOfHead.test(text.charAt(rest - 1))) rest--;
    if (text.length - rest > chunkSize) throw refuseSearch('has too much space to be searched for them');
    from = end - (text.length - rest);
  }
}

function refuseSearch(why: string): Error {
  return refuseInput('limits_kept', { sentence: `The PDF refers to objects that it does not have, and ${why}.` });
}

function readText(source: ByteSource, start: number, end: number): string {
  const bytes = source.read(start, end - start);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
