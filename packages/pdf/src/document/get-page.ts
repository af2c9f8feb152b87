import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { PdfDict, type PdfRef } from '../objects/pdf-object.ts';
import { assertNoDuplicates } from '../objects/take.ts';
import type { Page } from './page.ts';
import type { PdfDocument } from './pdf-document.ts';

/**
 * The page behind a reference, e.g. `/P` of an annotation, with the nodes above it as its `/Parent` entries lead to them.
 * Whether the page tree leads to it is not asked.
 *
 * @throws SigillumError `pdf_type_wrong`, `pdf_reference_loop`, and those of `PdfDocument.get`
 */
export function getPage(document: PdfDocument, ref: PdfRef): Page {
  const dict = document.getDict(ref, 'A page');
  const ancestors: PdfDict[] = [];
  let above = document.find(dict, 'Parent');
  while (above instanceof PdfDict) {
    assertNoDuplicates(above, 'A node of the page tree');
    if (ancestors.length >= limits.pageTreeDepth) {
      throw new SigillumError(
        'pdf_reference_loop',
        `A page of the PDF is below more than ${limits.pageTreeDepth} nodes.`,
      );
    }
    ancestors.push(above);
    above = document.find(above, 'Parent');
  }
  return { ref, dict, ancestors };
}
