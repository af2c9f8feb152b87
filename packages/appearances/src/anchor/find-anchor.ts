import { SigillumError } from '@sigillum/errors';
import { countPages, findPage, type Page, type PdfDocument } from '@sigillum/pdf';
import { findRequestedPage } from '../place/find-requested-page.ts';
import { readShownPage } from '../place/shown-page.ts';
import type { AnchorRequest, ShownRectangle } from '../request/appearance-request.ts';
import { tooMuch } from './anchor-errors.ts';
import { anchorLimits as limits } from './anchor-limits.ts';
import { findInLines } from './find-in-lines.ts';
import { PageTextReader } from './read-page-text.ts';
import type { FontKnowledge } from './text-font.ts';

/** A page with the text, and the box of the text on the page as it is shown. */
export type FoundAnchor = { readonly page: Page; readonly box: ShownRectangle };

/**
 * Searches a page, or all of them in order, for the text beside which the seal shall stand. Other work gets its turn after
 * each page.
 *
 * @throws SigillumError `appearance_anchor_not_found`, `appearance_anchor_ambiguous`, `appearance_anchor_limit_exceeded`,
 * `appearance_page_unknown`, and `pdf_*` for pages that can't be read
 */
export async function findAnchor(
  document: PdfDocument,
  anchor: AnchorRequest,
  pageNumber: number | undefined,
  knowledge: FontKnowledge,
): Promise<FoundAnchor> {
  const reader = new PageTextReader(document, knowledge);
  const found: FoundAnchor[] = [];
  const wanted = anchor.occurrence ?? 2;
  for (const page of listPages(document, pageNumber)) {
    const shown = readShownPage(document, page);
    for (const box of findInLines(reader.read(page, shown.toShown), anchor.text)) {
      const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
      // what is outside of the page nobody sees
      if (x >= 0 && y >= 0 && x <= shown.width && y <= shown.height) found.push({ page, box });
    }
    if (found.length >= wanted) break;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  return choose(found, anchor, pageNumber);
}

function choose(found: readonly FoundAnchor[], anchor: AnchorRequest, pageNumber: number | undefined): FoundAnchor {
  const where = pageNumber === undefined ? 'in the document' : `on page ${pageNumber}`;
  const chosen = found[(anchor.occurrence ?? 1) - 1];
  if (chosen === undefined) {
    const count = found.length === 0 ? `is not ${where}` : `is only ${found.length} times ${where}`;
    throw new SigillumError('appearance_anchor_not_found', `The text of the anchor ${count}.`, {
      fields: [{ pointer: found.length === 0 ? '/anchor/text' : '/anchor/occurrence', detail: count }],
    });
  }
  if (anchor.occurrence === undefined && found.length > 1) {
    // one page is always searched to its end
    const advice =
      pageNumber === undefined
        ? 'say which one by occurrence (1 is the first), or give the page'
        : `say by occurrence which one of the ${found.length} is meant`;
    throw new SigillumError(
      'appearance_anchor_ambiguous',
      `The text of the anchor is more than once ${where}; ${advice}.`,
      { fields: [{ pointer: '/anchor/occurrence', detail: 'is required: the text is there more than once' }] },
    );
  }
  return chosen;
}

function* listPages(document: PdfDocument, pageNumber: number | undefined): Generator<Page> {
  if (pageNumber !== undefined) {
    yield findRequestedPage(document, pageNumber);
    return;
  }
  const count = countPages(document);
  if (count > limits.pages) throw tooMuch(`${count} pages`);
  for (let index = 0; index < count; index++) {
    const page = findPage(document, index);
    if (page) yield page;
  }
}
