import { SigillumError } from '@sigillum/errors';
import { type PdfDict, PdfName, type PdfObject } from './pdf-object.ts';

/** Refuses a dictionary with a key twice: readers differ in which value they take (ISO 32000-2 §7.3.7). */
export function assertNoDuplicates(dict: PdfDict, what: string): void {
  const [key] = dict.duplicates;
  if (key === undefined) return;
  throw new SigillumError('pdf_key_duplicate', `${what} of the PDF has the key /${printable(key)} more than once.`);
}

/** A direct non-negative safe integer of a dictionary, or undefined when absent; anything else is refused. */
export function findCount(dict: PdfDict, key: string, what: string): number | undefined {
  const value = dict.find(key);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0) return value;
  throw wrongType(`/${key} of ${what}`, 'a non-negative integer');
}

/** The error for a value of another type than it must have. */
export function wrongType(what: string, expected: string): SigillumError {
  return new SigillumError('pdf_type_wrong', `${what} in the PDF is not ${expected}.`);
}

/** A name from the file, short and harmless enough for a message. */
function printable(name: string): string {
  return name.replaceAll(/[^!-~]/g, '?').slice(0, 64);
}

/** Whether a value is the name given. */
export function isName(value: PdfObject | undefined, name: string): boolean {
  return value instanceof PdfName && value.value === name;
}
