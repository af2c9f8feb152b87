import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { isPdfArray, type PdfArray, PdfDict, type PdfObject, PdfRef } from '../objects/pdf-object.ts';
import { isName, wrongType } from '../objects/take.ts';
import type { Page } from './page.ts';
import type { PdfDocument } from './pdf-document.ts';

/** The inner nodes above a node, nearest first; the pages below one node share them. */
type Above = { readonly dict: PdfDict; readonly above: Above | undefined };
type Waiting = { readonly node: PdfObject; readonly above: Above | undefined };

/**
 * The pages from index `from` (0 is the first one) on, in order; depth first without recursion (ISO 32000-2 §7.7.3). Ends
 * with the number of all pages.
 *
 * Pages before `from` are read, apart from those below a node whose `/Count` is the number of its `/Kids` and whose first
 * and last kid are pages: such a node says of itself that its kids are pages. Any other count isn't believed, since readers
 * that walk the tree and readers that count would find different pages.
 *
 * @throws SigillumError `pdf_type_wrong`, `pdf_reference_loop`, `pdf_limit_exceeded`, and those of `PdfDocument.get`
 */
export function* walkPages(document: PdfDocument, from: number): Generator<Page, number> {
  const waiting: Waiting[] = [{ node: document.catalog.find('Pages') ?? null, above: undefined }];
  const branches = new Set<number>();
  let index = 0;
  let nodes = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, above } = next;
    const { ref, dict } = readNode(document, node, nodes++);
    const kids = findKids(document, dict);
    if (kids === undefined) {
      if (index >= from) yield { ref, dict, ancestors: listAncestors(above) };
      index++;
      continue;
    }
    // a page may stand there twice: editors copy one so; what is above pages may not, but where nothing is below it
    if (kids.length === 0) continue;
    if (branches.has(ref.number)) {
      throw new SigillumError('pdf_reference_loop', 'The page tree of the PDF leads back to itself.');
    }
    branches.add(ref.number);
    if (kids.length > limits.objectValues - waiting.length) {
      throw new SigillumError(
        'pdf_limit_exceeded',
        `The page tree of the PDF has more than ${limits.objectValues} nodes.`,
      );
    }
    const jump = index < from && hasOnlyPages(document, dict, kids) ? Math.min(from - index, kids.length) : 0;
    index += jump;
    const inside = { dict, above };
    for (let kid = kids.length - 1; kid >= jump; kid--) waiting.push({ node: kids[kid] ?? null, above: inside });
  }
  return index;
}

function readNode(document: PdfDocument, node: PdfObject, before: number): { ref: PdfRef; dict: PdfDict } {
  if (before >= limits.pageTreeNodes) {
    throw new SigillumError(
      'pdf_limit_exceeded',
      `The page tree of the PDF has more than ${limits.pageTreeNodes} nodes on the way to a page.`,
    );
  }
  if (!(node instanceof PdfRef)) throw wrongType('A node of the page tree', 'a reference');
  return { ref: node, dict: document.getDict(node, 'A node of the page tree') };
}

/** The kids of an inner node; undefined for a page. */
function findKids(document: PdfDocument, dict: PdfDict): PdfArray | undefined {
  const kids = document.find(dict, 'Kids');
  const type = document.find(dict, 'Type');
  if (kids === undefined && !isName(type, 'Pages')) return undefined;
  if (isName(type, 'Page')) throw wrongType('A page with kids', 'a page');
  if (!isPdfArray(kids)) throw wrongType('/Kids of the page tree', 'an array');
  return kids;
}

function hasOnlyPages(document: PdfDocument, dict: PdfDict, kids: PdfArray): boolean {
  if (kids.length === 0 || document.find(dict, 'Count') !== kids.length) return false;
  return [kids[0], kids.at(-1)].every((kid) => {
    const page = document.resolve(kid ?? null);
    return page instanceof PdfDict && findKids(document, page) === undefined;
  });
}

function listAncestors(from: Above | undefined): readonly PdfDict[] {
  const ancestors: PdfDict[] = [];
  for (let above = from; above !== undefined; above = above.above) ancestors.push(above.dict);
  return ancestors;
}
