import type { IncrementalUpdate, PdfDocument, PdfRef } from '@sigillum/pdf';
import { addNewField, type NewField } from './add-new-field.ts';
import { extendForm } from './extend-form.ts';

/** Puts an invisible signature field into the form and onto the first page of a document that is signed already. */
export function addSignatureField(
  document: PdfDocument,
  update: IncrementalUpdate,
  name: string,
  signature: PdfRef,
  appearance?: NewField['appearance'],
): void {
  const field = addNewField(document, update, {
    name,
    signature,
    placed: undefined,
    isSigned: true,
    ...(appearance === undefined ? {} : { appearance }),
  });
  const changes = extendForm(document, update, field);
  if (Object.keys(changes).length > 0) update.set(document.catalogRef, document.catalog.with(changes));
}
