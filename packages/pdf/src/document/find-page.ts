import type { Page } from './page.ts';
import type { PdfDocument } from './pdf-document.ts';
import { walkPages } from './walk-pages.ts';

/**
 * The page at an index, 0 for the first one; undefined when the document has fewer pages. See {@link walkPages} for what is
 * read on the way to it, and for the errors.
 *
 * @example const page = findPage(document, request.page - 1);
 */
export function findPage(document: PdfDocument, index: number): Page | undefined {
  if (!Number.isSafeInteger(index) || index < 0) return undefined;
  const { value, done } = walkPages(document, index).next();
  return done === true ? undefined : value;
}

/** How many pages the document has, by the page tree itself. */
export function countPages(document: PdfDocument): number {
  for (const pages = walkPages(document, Number.POSITIVE_INFINITY); ; ) {
    const { value, done } = pages.next();
    if (done === true) return value;
  }
}
