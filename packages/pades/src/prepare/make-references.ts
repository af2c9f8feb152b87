import { PdfDict, PdfName, type PdfObject, type PdfRef } from '@sigillum/pdf';
import { encodeFieldLock, type FieldLock } from './field-lock.ts';

/** What the signature says about later changes. */
export type SignatureTransforms = {
  readonly certify: 1 | 2 | 3 | undefined;
  /** `/Lock` of the field that is filled. */
  readonly lock: FieldLock | undefined;
  readonly catalogRef: PdfRef;
};

/** `/Reference` of the signature dictionary (ISO 32000-2 §12.8.1, tables 256 to 258); undefined when there is nothing to say. */
export function makeReferences({ certify, lock, catalogRef }: SignatureTransforms): readonly PdfDict[] | undefined {
  const references: PdfDict[] = [];
  if (certify !== undefined) references.push(makeReference('DocMDP', [['P', certify]]));
  // table 256: /Data is required for FieldMDP
  if (lock !== undefined) references.push(makeReference('FieldMDP', encodeFieldLock(lock)).with({ Data: catalogRef }));
  return references.length === 0 ? undefined : references;
}

function makeReference(method: string, parameters: readonly (readonly [string, PdfObject])[]): PdfDict {
  return new PdfDict([
    ['Type', new PdfName('SigRef')],
    ['TransformMethod', new PdfName(method)],
    [
      'TransformParams',
      new PdfDict([['Type', new PdfName('TransformParams')], ...parameters, ['V', new PdfName('1.2')]]),
    ],
  ]);
}
