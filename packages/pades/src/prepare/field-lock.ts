import {
  decodeTextString,
  encodeTextString,
  isName,
  isPdfArray,
  type PdfDict,
  type PdfDocument,
  PdfName,
  type PdfObject,
  PdfString,
  wrongType,
} from '@sigillum/pdf';
import { type EarlierSignature, listTransforms } from './list-earlier-signatures.ts';

/** What a signature locks: all fields, those listed, or all but those listed (ISO 32000-2 table 236). */
export type FieldLock = {
  readonly action: 'All' | 'Include' | 'Exclude';
  readonly names: readonly string[];
  /** `/P`: what may still be changed in the document (tables 236 and 257). */
  readonly level: 1 | 2 | 3 | undefined;
};

/** Locks by FieldMDP and by the `/Lock` of fields that are signed; either is enough. */
export function listFieldLocks(document: PdfDocument, signatures: readonly EarlierSignature[]): readonly FieldLock[] {
  const locks: FieldLock[] = [];
  for (const { dict, field } of signatures) {
    for (const entry of listTransforms(document, dict, 'FieldMDP')) locks.push(readLock(document, entry));
    const lock = field && findFieldLock(document, field.dict);
    if (lock !== undefined) locks.push(lock);
  }
  return locks;
}

/** `/Lock` of a field, which comes into force when it is signed. */
export function findFieldLock(document: PdfDocument, field: PdfDict): FieldLock | undefined {
  const dict = document.findDict(field.find('Lock'), '/Lock of a signature field');
  return dict && readLock(document, dict);
}

/** Whether a lock holds for a field of that full name; a listed name stands for everything below it too. */
export function isLocked(lock: FieldLock, fieldName: string): boolean {
  const listed = lock.names.some((name) => fieldName === name || fieldName.startsWith(`${name}.`));
  return lock.action === 'All' || (lock.action === 'Include') === listed;
}

/** The lock's entries as transform parameters of FieldMDP have them (table 258), all direct. */
export function encodeFieldLock({ action, names, level }: FieldLock): readonly (readonly [string, PdfObject])[] {
  const entries: [string, PdfObject][] = [['Action', new PdfName(action)]];
  if (action !== 'All') entries.push(['Fields', names.map((name) => encodeTextString(name))]);
  // /P isn't in table 258, but Acrobat puts it there: so what the lock said of it is signed too
  if (level !== undefined) entries.push(['P', level]);
  return entries;
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
  return { action, names, level: readPermissionLevel(document.find(dict, 'P')) };
}

/** `/P` of DocMDP or of a lock; undefined when it says nothing. */
export function readPermissionLevel(value: PdfObject | undefined): 1 | 2 | 3 | undefined {
  if (value === undefined || value === 1 || value === 2 || value === 3) return value;
  throw wrongType('/P of a document permission', '1, 2 or 3');
}
