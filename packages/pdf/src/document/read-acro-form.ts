import { isPdfArray, type PdfArray, PdfDict, PdfRef, PdfStream } from '../objects/pdf-object.ts';
import { assertNoDuplicates, wrongType } from '../objects/take.ts';
import type { PdfDocument } from './pdf-document.ts';

/** The interactive form (ISO 32000-2 §12.7.3) and where its parts lie, for those who extend it. */
export type AcroForm = {
  /** Undefined when the dictionary lies directly in the catalog. */
  readonly ref: PdfRef | undefined;
  readonly dict: PdfDict;
  /** Undefined when `/Fields` lies directly in the form dictionary or is missing. */
  readonly fieldsRef: PdfRef | undefined;
  readonly fields: PdfArray;
  /** `/SigFlags` (§12.7.3, table 225), 0 when absent or no integer. */
  readonly sigFlags: number;
};

/**
 * The document's form, if it has one; duplicate keys are refused. A form that is no dictionary is none, and `/Fields` that are
 * no array have no fields, to every reader.
 */
export function readAcroForm(document: PdfDocument): AcroForm | undefined {
  const value = document.catalog.find('AcroForm');
  const dict = document.resolve(value ?? null);
  // to some readers a stream is a dictionary with data, to others it is none
  if (dict instanceof PdfStream) throw wrongType('The AcroForm', 'a dictionary');
  if (!(dict instanceof PdfDict)) return undefined;
  assertNoDuplicates(dict, 'The AcroForm');
  const fieldsValue = dict.find('Fields');
  const listed = document.find(dict, 'Fields');
  const fields = isPdfArray(listed) ? listed : undefined;
  const sigFlags = document.find(dict, 'SigFlags');
  return {
    ref: value instanceof PdfRef ? value : undefined,
    dict,
    fieldsRef: fieldsValue instanceof PdfRef && fields !== undefined ? fieldsValue : undefined,
    fields: fields ?? [],
    sigFlags: typeof sigFlags === 'number' ? sigFlags : 0,
  };
}
