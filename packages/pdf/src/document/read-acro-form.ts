import { isPdfArray, type PdfArray, type PdfDict, PdfRef } from '../objects/pdf-object.ts';
import { wrongType } from '../objects/take.ts';
import type { PdfDocument } from './pdf-document.ts';

/** The interactive form (ISO 32000-2 §12.7.3) and where its parts lie, for those who extend it. */
export type AcroForm = {
  /** Undefined when the dictionary lies directly in the catalog. */
  readonly ref: PdfRef | undefined;
  readonly dict: PdfDict;
  /** Undefined when `/Fields` lies directly in the form dictionary or is missing. */
  readonly fieldsRef: PdfRef | undefined;
  readonly fields: PdfArray;
  /** `/SigFlags` (§12.7.3, table 225), 0 when absent. */
  readonly sigFlags: number;
};

/** The document's form, if it has one; wrong types and duplicate keys are refused. */
export function readAcroForm(document: PdfDocument): AcroForm | undefined {
  const value = document.catalog.find('AcroForm');
  const dict = document.findDict(value, 'The AcroForm');
  if (dict === undefined) return undefined;
  const fieldsValue = dict.find('Fields');
  const fields = document.find(dict, 'Fields');
  if (fields !== undefined && !isPdfArray(fields)) throw wrongType('/Fields of the AcroForm', 'an array');
  const sigFlags = document.find(dict, 'SigFlags') ?? 0;
  if (typeof sigFlags !== 'number') throw wrongType('/SigFlags of the AcroForm', 'an integer');
  return {
    ref: value instanceof PdfRef ? value : undefined,
    dict,
    fieldsRef: fieldsValue instanceof PdfRef && fields !== undefined ? fieldsValue : undefined,
    fields: fields ?? [],
    sigFlags,
  };
}
