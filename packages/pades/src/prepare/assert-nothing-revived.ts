import { findReferences, type PdfDocument } from '@sigillum/pdf';
import { findHeads, type Head, refuseSearch, standsBetween } from './find-heads.ts';
import { refuseInput } from './input-policy.ts';
import { isMissing } from './walk-shown-objects.ts';

/** What the heads found may cost, in looks at a cross-reference section, ten nanoseconds each: a second. Finding one is as dear as some of them. */
const maxLooks = 100_000_000;
const looksForHead = 25;

/**
 * For a file that refers to objects that aren't there: poppler then throws the cross-reference away, searches the file, and
 * takes the last definition of every object that it finds. Refuses a file in which that brings up another document: another
 * definition of an object in use, or one of an object that is referred to and isn't there.
 */
export function assertNothingRevived(document: PdfDocument): void {
  const revived = new Set<number>();
  let left = maxLooks;
  for (const head of findHeads(document.source)) {
    left -= looksForHead + document.sections.length;
    if (left < 0) throw refuseSearch('has too many others to be searched for them');
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
  // some tables count white space before an object as its own; what is behind its first digit is another one
  const place = home.offset + document.base;
  return generation > used || (generation === used && standsBetween(document.source, place, offset));
}
