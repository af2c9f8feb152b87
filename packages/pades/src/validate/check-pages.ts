import { isSigillumError } from '@sigillum/errors';
import { isPdfArray, limits, PdfDict, type PdfDocument, type PdfObject, PdfRef, PdfStream } from '@sigillum/pdf';
import type { Findings } from './findings.ts';
import { hasDuplicates } from './has-duplicates.ts';

/** Nodes of a page tree that are looked at: no document has more pages. */
const maxNodes = 200_000;

/**
 * Every page and its content must be what a strict reader finds by the cross-reference: where a page is missing, damaged or
 * has a key twice, readers guess, and each may show something else under the same signature (pades.md §5.1).
 */
export function checkPages(document: PdfDocument, findings: Findings): void {
  try {
    walkPages(document, findings);
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    const isLimit = error.code === 'pdf_limit_exceeded';
    findings.add(isLimit ? 'pdf_limit_exceeded' : 'pdf_structure_damaged', error.message);
  }
}

function walkPages(document: PdfDocument, findings: Findings): void {
  const checked = new Set<number>();
  const waiting: Waiting[] = [{ node: document.catalog.find('Pages') ?? null, above: undefined }];
  let nodes = 0;
  const refuse = (why: string): void => findings.add('pdf_structure_damaged', why);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, above } = next;
    if (++nodes > maxNodes) return findings.add('pdf_limit_exceeded', 'It has too many pages.');
    const dict = document.resolve(node);
    if (!(dict instanceof PdfDict)) return refuse('A page of the page tree is not there.');
    if (hasDuplicates(dict)) return refuse('A page has a key twice.');
    const kids = document.find(dict, 'Kids');
    const number = node instanceof PdfRef ? node.number : undefined;
    if (isPdfArray(kids)) {
      // a page, or a branch of them, may stand there twice: editors copy one so; but not below itself
      if (number !== undefined && isBelow(above, number)) return refuse('The page tree leads back to itself.');
      if (kids.length > maxNodes) return findings.add('pdf_limit_exceeded', 'It has too many pages.');
      const inside = { number, above, depth: (above?.depth ?? 0) + 1 };
      if (inside.depth > limits.pageTreeDepth) return findings.add('pdf_limit_exceeded', 'Its page tree is too deep.');
      for (const kid of kids) waiting.push({ node: kid, above: inside });
    } else if (number === undefined || !checked.has(number)) {
      if (number !== undefined) checked.add(number);
      checkContents(document, dict, refuse);
    }
  }
}

type Above = { readonly number: number | undefined; readonly above: Above | undefined; readonly depth: number };
type Waiting = { readonly node: PdfObject; readonly above: Above | undefined };

function isBelow(above: Above | undefined, number: number): boolean {
  for (let at = above; at !== undefined; at = at.above) if (at.number === number) return true;
  return false;
}

function checkContents(document: PdfDocument, page: PdfDict, refuse: (why: string) => void): void {
  const contents = document.find(page, 'Contents') ?? [];
  for (const part of isPdfArray(contents) ? contents : [contents]) {
    const value = document.resolve(part);
    if (!(value instanceof PdfStream)) return refuse('The content of a page is not there.');
    if (hasDuplicates(value)) return refuse('The content of a page has a key twice.');
    // §7.3.8.2: then another file is shown, and nothing signs that one
    if (value.dict.has('F')) return refuse('The content of a page stands in another file.');
  }
}
