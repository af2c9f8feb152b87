import { type IncrementalUpdate, isName, isPdfArray, type PdfDocument, PdfRef, wrongType } from '@sigillum/pdf';

/**
 * Puts a widget behind the annotations of a page. A list that is an object of its own is written again when earlier
 * signatures cover it, since validators compare it; else the page gets a list of its own, because pages may share one.
 */
export function addToPage(
  document: PdfDocument,
  update: IncrementalUpdate,
  page: PdfRef,
  widget: PdfRef,
  isSigned: boolean,
): void {
  const dict = document.getDict(page, 'The page of the seal');
  const type = document.find(dict, 'Type');
  if (dict.has('Kids') || (type !== undefined && !isName(type, 'Page')))
    throw wrongType('The page of the seal', 'a page');
  const value = dict.find('Annots');
  const annotations = document.find(dict, 'Annots');
  if (annotations !== undefined && !isPdfArray(annotations)) throw wrongType('/Annots of a page', 'an array');
  const extended = [...(annotations ?? []), widget];
  if (isSigned && value instanceof PdfRef && annotations !== undefined) update.set(value, extended);
  else update.set(page, dict.with({ Annots: extended }));
}
