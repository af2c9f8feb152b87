import { type FormField, IncrementalUpdate, listFormFields, openPdf } from '@sigillum/pdf';
import { addSignatureField } from '../prepare/add-signature-field.ts';
import { assertContentsSize } from '../prepare/assert-seal-options.ts';
import { finishPreparation } from '../prepare/finish-preparation.ts';
import { listEarlierSignatures } from '../prepare/list-earlier-signatures.ts';
import { makeTimeStampDictionary } from '../prepare/make-signature-dictionary.ts';
import type { PrepareInput } from '../prepare/prepare-signature.ts';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';
import type { Random } from '../prepare/seal-options.ts';

/**
 * Prepares a document time-stamp (EN 319 142-1 §5.4.3) in an invisible field of its own, over all that the file holds.
 * It is allowed after any certification and any lock, so earlier signatures are only counted.
 *
 * @param contentsSize bytes of token to reserve: see `estimateTokenRoom`
 * @param random for the changing half of `/ID`
 * @throws SigillumError `pdf_*` for what can't be read, `pades_option_invalid` for an unusable size
 */
export function prepareDocumentTimeStamp(
  input: PrepareInput,
  { contentsSize }: { readonly contentsSize: number },
  random: Random,
): PreparedSignature {
  assertContentsSize(contentsSize);
  const document = openPdf(input.source);
  const fields = listFormFields(document);
  const earlier = listEarlierSignatures(document, fields);
  const update = new IncrementalUpdate(document, random);
  const signature = makeTimeStampDictionary(contentsSize);
  const ref = update.allocate();
  update.set(ref, signature.dict);
  const fieldName = chooseName(fields);
  addSignatureField(document, update, fieldName, ref);
  return finishPreparation(input, update, signature, {
    contentsSize,
    fieldName,
    earlierSignatures: earlier.map(({ field }) => ({ fieldName: field?.name, state: 'not-checked' as const })),
  });
}

/** The first of DocumentTimeStamp1, DocumentTimeStamp2, … that the form doesn't have. */
function chooseName(fields: readonly FormField[]): string {
  const taken = new Set(fields.map(({ name }) => name));
  let number = 1;
  while (taken.has(`DocumentTimeStamp${number}`)) number++;
  return `DocumentTimeStamp${number}`;
}
