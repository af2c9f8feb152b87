import { isPdfArray, PdfDict, type PdfDocument, type PdfObject, PdfRef, PdfStream } from '@sigillum/pdf';
import { hasDuplicates } from '../validate/has-duplicates.ts';
import { refuseInput } from './input-policy.ts';

/** Pages looked at, from the first: reading all of them would cost more than the seal. Validation looks at every page. */
const maxPages = 16;
/** Nodes on the way to them; a tree has a few levels. */
const maxNodes = 256;
/** White space between the data of a stream and `endstream`: an end of line, and what some writers add. */
const maxSpace = 32;

type Waiting = { readonly node: PdfObject; readonly above: readonly number[] };

/**
 * Refuses a file in whose first pages readers must guess, so that each may show something else: a page tree that leads back
 * to itself or counts wrongly, content that is missing or doesn't end where it says, resources with a key twice.
 *
 * @returns the pages looked at
 */
export function assertPagesThere(document: PdfDocument): readonly PdfDict[] {
  const root = document.catalog.find('Pages') ?? null;
  const waiting: Waiting[] = [{ node: root, above: [] }];
  const pages: PdfDict[] = [];
  for (let nodes = 0; nodes < maxNodes && pages.length < maxPages; nodes++) {
    const next = waiting.pop();
    if (next === undefined) {
      assertCounted(document, root, pages.length);
      break;
    }
    const { node, above } = next;
    const dict = document.findDict(node, 'A node of the page tree');
    if (dict === undefined) throw refuse('A page of the PDF is missing.');
    const kids = document.find(dict, 'Kids');
    if (!isPdfArray(kids)) {
      pages.push(dict);
      assertPageThere(document, dict);
      continue;
    }
    const number = node instanceof PdfRef ? node.number : -1;
    if (above.includes(number)) throw refuse('The page tree of the PDF leads back to itself.');
    const path = [...above, number];
    for (const kid of kids.slice(0, maxPages).toReversed()) waiting.push({ node: kid, above: path });
  }
  return pages;
}

/** Readers that go by `/Count` look for pages that aren't there, and some show none then. */
function assertCounted(document: PdfDocument, root: PdfObject, pages: number): void {
  const count = document.find(document.getDict(root, 'The page tree'), 'Count');
  if (typeof count === 'number' && count !== pages)
    throw refuse(`The PDF says that it has ${count} pages, and has ${pages}.`);
}

function assertPageThere(document: PdfDocument, page: PdfDict): void {
  const resources = document.find(page, 'Resources') ?? null;
  const parts = resources instanceof PdfDict ? [...resources.entries()].map(([, part]) => document.resolve(part)) : [];
  if ([page, resources, ...parts].some(hasDuplicates)) {
    throw refuseInput('keys_once', {
      sentence: 'A page of the PDF has something twice: readers show one or the other.',
    });
  }
  const value = page.find('Contents');
  if (value === undefined) return;
  const contents = document.resolve(value);
  for (const part of isPdfArray(contents) ? contents : [contents]) {
    const stream = document.resolve(part);
    if (!(stream instanceof PdfStream)) throw refuse('The content of a page of the PDF is missing.');
    if (!endsWhereItSays(document, stream))
      throw refuse('The content of a page of the PDF does not end where it says.');
  }
}

function refuse(what: string): Error {
  return refuseInput('pages_there', { sentence: `${what} Readers guess there; save the PDF again, and try again.` });
}

/** ISO 32000-2 §7.3.8.2. A stream in another file (`/F`) shows what nothing signs. */
function endsWhereItSays(document: PdfDocument, { dict, dataOffset }: PdfStream): boolean {
  const { source } = document;
  const length = document.find(dict, 'Length');
  if (typeof length !== 'number' || length < 0 || dict.has('F') || hasDuplicates(dict)) return false;
  const end = dataOffset + length;
  if (end > source.size) return false;
  const bytes = source.read(end, Math.min(maxSpace + 'endstream'.length, source.size - end));
  return /^[\s\0]*endstream/.test(Buffer.from(bytes).toString('latin1'));
}
