import { SigillumError } from '@sigillum/errors';
import { findPage } from './find-page.ts';
import type { Page } from './page.ts';
import type { PdfDocument } from './pdf-document.ts';

/** The first page of the page tree (ISO 32000-2 §7.7.3); only the nodes on the way to it are read. */
export function findFirstPage(document: PdfDocument): Page {
  const page = findPage(document, 0);
  if (page === undefined) throw new SigillumError('pdf_page_missing', 'The page tree of the PDF has no page.');
  return page;
}
