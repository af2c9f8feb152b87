import { SigillumError } from '@sigillum/errors';
import { countPages, findPage, type Page, type PdfDocument } from '@sigillum/pdf';

/** The page by its number: from 1, or from −1 for the last one backwards. */
export function findRequestedPage(document: PdfDocument, number: number): Page {
  const index = number > 0 ? number - 1 : countPages(document) + number;
  const page = findPage(document, index);
  if (page) return page;
  const count = countPages(document);
  throw new SigillumError(
    'appearance_page_unknown',
    `The document has ${count} ${count === 1 ? 'page' : 'pages'}, so there is no page ${number} for the seal.`,
    { fields: [{ pointer: '/page', detail: `must be from 1 to ${count}, or from −1 to −${count}` }] },
  );
}
