import type { PdfDocument } from '../document/pdf-document.ts';
import { SigillumError } from '@sigillum/errors';
import { equalObjects } from '../inspect/equal-objects.ts';
import { isPdfArray, PdfDict, type PdfObject, PdfRef, PdfString } from '../objects/pdf-object.ts';
import { getFileKey } from './get-file-key.ts';
import { parseEncryption } from './parse-encryption.ts';
import { SecurityHandler } from './security-handler.ts';

/**
 * The security handler of a document that was opened without one; undefined when it isn't encrypted.
 *
 * @throws SigillumError `pdf_password_needed`, `pdf_encryption_public_key`, `pdf_encryption_unknown`,
 * `pdf_encryption_damaged`, and those of reading an object
 */
export function openSecurity(document: PdfDocument): SecurityHandler | undefined {
  const { trailer, sections } = document;
  const value = trailer.find('Encrypt');
  for (const section of sections) {
    for (const older of [section.trailer, section.hidden?.trailer]) assertSame(value, older?.find('Encrypt'));
  }
  if (value === undefined) return undefined;
  const dict = document.resolve(value);
  if (!(dict instanceof PdfDict)) {
    throw new SigillumError(
      'pdf_encryption_damaged',
      'The PDF is encrypted, but its encryption dictionary is missing.',
    );
  }
  const encryption = parseEncryption(dict, (from, key) => document.find(from, key));
  const id = document.find(trailer, 'ID');
  const first = isPdfArray(id) ? document.resolve(id[0] ?? null) : null;
  const key = getFileKey(encryption, first instanceof PdfString ? first.bytes : new Uint8Array(0));
  return new SecurityHandler(encryption, key, value instanceof PdfRef ? value : undefined);
}

/** An update that drops or changes `/Encrypt` would leave ciphertext to be read as text, or text as ciphertext. */
function assertSame(newest: PdfObject | undefined, older: PdfObject | undefined): void {
  if (older === undefined || equalObjects(newest, older, () => false)) return;
  throw new SigillumError(
    'pdf_encryption_damaged',
    'An update of the PDF has changed or dropped its encryption. Save it again and try again.',
  );
}
