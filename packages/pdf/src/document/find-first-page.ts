import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { isPdfArray, type PdfDict, type PdfObject, PdfRef } from '../objects/pdf-object.ts';
import { isName, wrongType } from '../objects/take.ts';
import type { PdfDocument } from './pdf-document.ts';

export type Page = { readonly ref: PdfRef; readonly dict: PdfDict };

/** The first page of the page tree (ISO 32000-2 §7.7.3); only the nodes on the way to it are read. */
export function findFirstPage(document: PdfDocument): Page {
  // depth first without recursion: what is still to be looked at, the next one last
  const waiting: PdfObject[] = [document.catalog.find('Pages') ?? null];
  const seen = new Set<number>();
  for (let nodes = 0; ; nodes++) {
    const node = waiting.pop();
    if (node === undefined) throw new SigillumError('pdf_page_missing', 'The page tree of the PDF has no page.');
    if (nodes >= limits.pageTreeNodes) {
      throw new SigillumError(
        'pdf_limit_exceeded',
        `The first page of the PDF is behind more than ${limits.pageTreeNodes} nodes.`,
      );
    }
    if (!(node instanceof PdfRef)) throw wrongType('A node of the page tree', 'a reference');
    if (seen.has(node.number)) {
      throw new SigillumError('pdf_reference_loop', 'The page tree of the PDF leads back to itself.');
    }
    seen.add(node.number);
    const dict = document.getDict(node, 'A node of the page tree');
    const kids = document.find(dict, 'Kids');
    const type = document.find(dict, 'Type');
    if (kids === undefined && !isName(type, 'Pages')) return { ref: node, dict };
    if (isName(type, 'Page')) throw wrongType('A page with kids', 'a page');
    if (!isPdfArray(kids)) throw wrongType('/Kids of the page tree', 'an array');
    if (kids.length > limits.objectValues - waiting.length) {
      throw new SigillumError(
        'pdf_limit_exceeded',
        `The page tree of the PDF has more than ${limits.objectValues} nodes.`,
      );
    }
    for (const kid of kids.toReversed()) waiting.push(kid);
  }
}
