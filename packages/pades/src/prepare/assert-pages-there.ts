import {
  isPdfArray,
  limits,
  type ObjectSurvey,
  PdfDict,
  type PdfDocument,
  type PdfObject,
  PdfRef,
  PdfStream,
} from '@sigillum/pdf';
import { hasDuplicates } from '../validate/has-duplicates.ts';
import { refuseInput } from './input-policy.ts';

/** White space between the data of a stream and `endstream`: an end of line, and what some writers add. */
const maxSpace = 32;

type Branch = { readonly number: number; readonly count: unknown; readonly above: Branch | undefined; pages: number };
type Waiting = { readonly node: PdfObject; readonly above: Branch | undefined };

/**
 * Refuses a file in whose pages readers must guess, so that each may show something else: a page tree that leads back to
 * itself or counts wrongly, content that is missing or doesn't end where it says, resources with a key twice.
 *
 * @param survey when it is clear no page has to be read: what is asked of one holds for every object
 * @returns the pages read
 */
export function assertPagesThere(document: PdfDocument, survey: ObjectSurvey): readonly PdfDict[] {
  const waiting: Waiting[] = [{ node: document.catalog.find('Pages') ?? null, above: undefined }];
  const branches: Branch[] = [];
  const pages: PdfDict[] = [];
  const seen = new Set<number>();
  const byNumber = new Map<number, Branch>();
  const again: Branch[] = [];
  let nodes = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, above } = next;
    if (++nodes > limits.pageTreeNodes) throw tooMany();
    const number = node instanceof PdfRef ? node.number : -1;
    if (above !== undefined && survey.isClear && survey.kindOf(number) === 'dictionary') {
      above.pages++;
      continue;
    }
    const dict = document.findDict(node, 'A node of the page tree');
    if (dict === undefined) throw refuse('A page of the PDF is missing.');
    const kids = document.find(dict, 'Kids');
    if (!isPdfArray(kids)) {
      if (above !== undefined) above.pages++;
      // a page may stand there twice: editors copy one so
      if (seen.has(number)) continue;
      if (number >= 0) seen.add(number);
      pages.push(dict);
      assertPageThere(document, dict);
      continue;
    }
    if (isBelow(above, number)) throw refuse('The page tree of the PDF leads back to itself.');
    const known = number < 0 ? undefined : byNumber.get(number);
    if (known !== undefined) {
      again.push(known);
      continue;
    }
    const branch = { number, count: document.find(dict, 'Count'), above, pages: 0 };
    branches.push(branch);
    byNumber.set(number, branch);
    if (kids.length + waiting.length > limits.pageTreeNodes) throw tooMany();
    for (const kid of kids.toReversed()) waiting.push({ node: kid, above: branch });
  }
  // what is below comes behind what is above
  for (const branch of branches.toReversed()) if (branch.above !== undefined) branch.above.pages += branch.pages;
  // Ghostscript shows its pages once, the others as often as it is listed; editors leave empty ones behind
  if (again.some((branch) => branch.pages > 0)) throw refuse('A branch of the page tree of the PDF is listed twice.');
  assertCounted(branches);
  return pages;
}

function isBelow(above: Branch | undefined, number: number): boolean {
  let depth = 0;
  for (let at = above; at !== undefined; at = at.above) {
    if (at.number === number) return true;
    if (++depth > limits.pageTreeDepth) throw tooMany();
  }
  return false;
}

function tooMany(): Error {
  return refuseInput('limits_kept', { sentence: 'The PDF has a page tree that is too large or too deep to be read.' });
}

/** Readers that go by `/Count` look for pages that aren't there, and some show none then. */
function assertCounted(branches: readonly Branch[]): void {
  for (const { count, pages } of branches) {
    if (typeof count === 'number' && count !== pages) {
      throw refuse(`The PDF says that it has ${count} pages where it has ${pages}.`);
    }
  }
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
