import {
  assertPermitted,
  type FormField,
  IncrementalUpdate,
  isPdfArray,
  listFormFields,
  openPdf,
  PdfDict,
  type PdfDocument,
  type PdfObject,
  PdfRef,
  PdfStream,
} from '@sigillum/pdf';
import { addSignatureField } from '../prepare/add-signature-field.ts';
import { assertContentsSize } from '../prepare/assert-seal-options.ts';
import { finishPreparation } from '../prepare/finish-preparation.ts';
import { listEarlierSignatures } from '../prepare/list-earlier-signatures.ts';
import { makeTimeStampDictionary } from '../prepare/make-signature-dictionary.ts';
import type { PrepareInput } from '../prepare/prepare-input.ts';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';
import type { Random } from '../prepare/seal-options.ts';
import { chooseTimeStampName } from './choose-time-stamp-name.ts';

/**
 * Prepares a document time-stamp (EN 319 142-1 §5.4.3) in an invisible field of its own, over all that the file holds.
 * It is allowed after any certification; its name is one that no lock holds for.
 *
 * @param contentsSize bytes of token to reserve: see `estimateTokenRoom`
 * @param random for the changing half of `/ID`
 * @throws SigillumError `pdf_*` for what can't be read or is not permitted, `fieldmdp_forbids_time_stamp`, `pades_option_invalid`
 * for an unusable size
 */
export function prepareDocumentTimeStamp(
  input: PrepareInput,
  { contentsSize }: { readonly contentsSize: number },
  random: Random,
): PreparedSignature {
  assertContentsSize(contentsSize);
  const document = openPdf(input.source);
  assertPermitted(document, 'add-field');
  const fields = listFormFields(document);
  const earlier = listEarlierSignatures(document, fields);
  const update = new IncrementalUpdate(document, random);
  const signature = makeTimeStampDictionary(contentsSize);
  const ref = update.allocate();
  update.set(ref, signature.dict);
  const fieldName = chooseTimeStampName(document, fields, earlier);
  addSignatureField(document, update, fieldName, ref, chooseAppearance(document, fields));
  return finishPreparation(input, update, signature, {
    contentsSize,
    fieldName,
    earlierSignatures: earlier.map(({ field }) => ({ fieldName: field?.name, state: 'not-checked' as const })),
  });
}

/**
 * A time-stamp shows nothing. Validators tell an archive update from a filled form by its new appearances, so an empty one
 * that the document has already is used again, and without it there is none. Only PDF/A-1 wants one in any case
 * (ISO 19005-1 §6.9; parts 2 and 3 don't for a field without an area).
 */
function chooseAppearance(document: PdfDocument, fields: readonly FormField[]): PdfRef | 'none' | undefined {
  for (const { dict, type } of fields) {
    const appearances = type === 'Sig' ? document.find(dict, 'AP') : undefined;
    const shown = appearances instanceof PdfDict ? appearances.find('N') : undefined;
    if (shown instanceof PdfRef && isEmpty(document, document.resolve(shown))) return shown;
  }
  return isPdfA1(document) ? undefined : 'none';
}

function isEmpty(document: PdfDocument, shown: PdfObject): boolean {
  if (!(shown instanceof PdfStream)) return false;
  const box = document.find(shown.dict, 'BBox');
  return isPdfArray(box) && box.length === 4 && box.every((value) => value === 0);
}

/** What the metadata claim (ISO 19005-1 §6.7.11); they are never compressed in such a file. */
function isPdfA1(document: PdfDocument): boolean {
  const metadata = document.find(document.catalog, 'Metadata');
  if (!(metadata instanceof PdfStream) || metadata.dict.has('Filter')) return false;
  const text = Buffer.from(document.readStream(metadata)).toString('latin1');
  return /pdfaid:part\s*(?:>|=\s*["'])\s*1/.test(text);
}
