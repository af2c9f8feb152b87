import {
  decodeTextString,
  isName,
  isPdfArray,
  type PdfDict,
  type PdfDocument,
  PdfString,
  wrongType,
} from '@sigillum/pdf';
import { type EarlierSignature, listTransforms } from './list-earlier-signatures.ts';

/** What an earlier signature locks: all fields, those listed, or all but those listed (ISO 32000-2 table 259). */
export type FieldLock = { readonly action: 'All' | 'Include' | 'Exclude'; readonly names: readonly string[] };

/** Locks by FieldMDP and by the `/Lock` of fields that are signed; either is enough. */
export function listFieldLocks(document: PdfDocument, signatures: readonly EarlierSignature[]): readonly FieldLock[] {
  const locks: FieldLock[] = [];
  for (const { dict, field } of signatures) {
    const parameters = [...listTransforms(document, dict, 'FieldMDP')];
    const lock = document.findDict(field?.dict.find('Lock'), '/Lock of a signature field');
    if (lock !== undefined) parameters.push(lock);
    for (const entry of parameters) locks.push(readLock(document, entry));
  }
  return locks;
}

/** Whether a lock holds for a field of that full name; a listed name stands for everything below it too. */
export function isLocked(lock: FieldLock, fieldName: string): boolean {
  const listed = lock.names.some((name) => fieldName === name || fieldName.startsWith(`${name}.`));
  return lock.action === 'All' || (lock.action === 'Include') === listed;
}

function readLock(document: PdfDocument, dict: PdfDict): FieldLock {
  const value = document.find(dict, 'Action');
  const action = (['All', 'Include', 'Exclude'] as const).find((name) => isName(value, name));
  if (action === undefined) throw wrongType('/Action of a field lock', 'All, Include or Exclude');
  const fields = document.find(dict, 'Fields') ?? [];
  if (!isPdfArray(fields)) throw wrongType('/Fields of a field lock', 'an array');
  const names = fields.map((field) => {
    const name = document.resolve(field);
    if (!(name instanceof PdfString)) throw wrongType('A name in a field lock', 'a string');
    return decodeTextString(name);
  });
  return { action, names };
}
