import { isSigillumError } from '@sigillum/errors';
import { findPage, isPdfArray, type Page, type PdfDocument, PdfStream } from '@sigillum/pdf';
import { refuseInput } from './input-policy.ts';

/**
 * Pages looked at, from the first: reading all of them would cost more than the seal. Validation looks at every page.
 */
const maxPages = 16;
/** Bytes behind the data of a stream in which `endstream` must begin: an end of line, and what some writers add. */
const tail = 'endstream'.length + 2;

/**
 * Refuses a file whose first pages have content that is missing or doesn't end where it says: there readers guess, and each
 * may show something else.
 */
export function assertPagesThere(document: PdfDocument): void {
  for (let index = 0; index < maxPages; index++) {
    const page = findPageIfReadable(document, index);
    if (page === undefined) return;
    const contents = document.find(page.dict, 'Contents') ?? [];
    for (const part of isPdfArray(contents) ? contents : [contents]) {
      const value = document.resolve(part);
      if (value === null && isPdfArray(contents)) continue;
      if (!(value instanceof PdfStream) || !endsWhereItSays(document, value)) throw refuseInput('pages_there');
    }
  }
}

/** A tree that leads back to itself, or holds a page twice, is left to those who walk all of it. */
function findPageIfReadable(document: PdfDocument, index: number): Page | undefined {
  try {
    return findPage(document, index);
  } catch (error) {
    if (isSigillumError(error) && index > 0) return undefined;
    throw error;
  }
}

/** ISO 32000-2 §7.3.8.2. A stream in another file (`/F`) shows what nothing signs. */
function endsWhereItSays(document: PdfDocument, { dict, dataOffset }: PdfStream): boolean {
  const { source } = document;
  const length = document.find(dict, 'Length');
  if (typeof length !== 'number' || length < 0 || dict.has('F') || dict.duplicates.length > 0) return false;
  const end = dataOffset + length;
  if (end > source.size) return false;
  const bytes = source.read(end, Math.min(tail, source.size - end));
  return /^[\s\0]{0,2}endstream/.test(Buffer.from(bytes).toString('latin1'));
}
