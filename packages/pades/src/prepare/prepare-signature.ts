import { SigillumError } from '@sigillum/errors';
import { type ByteSource, IncrementalUpdate, listFormFields, openPdf, type PdfDocument } from '@sigillum/pdf';
import { addSignatureField } from './add-signature-field.ts';
import { assertChangesAllowed } from './assert-changes-allowed.ts';
import { assertSealOptions } from './assert-seal-options.ts';
import { chooseFieldName } from './choose-field-name.ts';
import { listFieldLocks } from './field-lock.ts';
import { finishPreparation } from './finish-preparation.ts';
import { listEarlierSignatures } from './list-earlier-signatures.ts';
import { makeSignatureDictionary } from './make-signature-dictionary.ts';
import type { PrefixHash } from './prefix-hash.ts';
import type { PreparedSignature } from './prepared-signature.ts';
import type { Random, SealOptions } from './seal-options.ts';

export type PrepareInput = {
  readonly source: ByteSource;
  /** Has taken in exactly the bytes of `source`. */
  readonly prefixHash: PrefixHash;
};

export type PrepareOptions = SealOptions & {
  /** Bytes of CMS to reserve. */
  readonly contentsSize: number;
};

/**
 * Step 3 of a seal: reads the input by its xref, applies the input policy, and makes the increment with an invisible
 * signature field and room for the CMS. The digest is that of the whole sealed file but `<hex>`.
 *
 * @param random for the changing half of `/ID`
 * @throws SigillumError `pdf_*` for what can't be read, `docmdp_forbids_changes`, `fieldmdp_forbids_field`,
 * `pades_byte_range_past_end`, `pades_header_misplaced`, `pades_field_exists`, `pades_option_invalid`
 */
export function prepareSignature(input: PrepareInput, options: PrepareOptions, random: Random): PreparedSignature {
  assertSealOptions(options);
  const document = openPdf(input.source);
  assertHeaderFirst(document);
  const fields = listFormFields(document);
  const signatures = listEarlierSignatures(document, fields);
  assertChangesAllowed(document, signatures);
  const fieldName = chooseFieldName(options.fieldName, fields, listFieldLocks(document, signatures));

  const update = new IncrementalUpdate(document, random);
  const signature = makeSignatureDictionary(options, options.contentsSize);
  const signatureRef = update.allocate();
  update.set(signatureRef, signature.dict);
  addSignatureField(document, update, fieldName, signatureRef);
  return finishPreparation(input, update, signature, {
    contentsSize: options.contentsSize,
    fieldName,
    earlierSignatures: signatures.map(({ field }) => ({ fieldName: field?.name, state: 'not-checked' as const })),
  });
}

/** With bytes before the header readers disagree whether offsets, ByteRange among them, count from the file's start. */
function assertHeaderFirst({ header }: PdfDocument): void {
  if (header.offset === 0) return;
  throw new SigillumError(
    'pades_header_misplaced',
    `The PDF begins with ${header.offset} bytes that don't belong to it. Save it again, or remove them, and try again.`,
  );
}
