import { SigillumError } from '@sigillum/errors';
import type { SealOptions } from './seal-options.ts';

/** Bounds of what a caller may put into the signature dictionary and reserve in it. */
export const sealLimits = {
  /** UTF-16 units of a reason, a location, a name or a contact: two paragraphs; viewers show one line. */
  text: 1024,
  /** UTF-16 units of a field's full name: what `@sigillum/pdf` reads of one. */
  fieldName: 2048,
  /** Bytes of CMS: a hundred times a B-T signature with a long chain. */
  contentsSize: 1024 * 1024,
} as const;

const texts = ['reason', 'location', 'contactInfo', 'name'] as const;
/** Plain text: well-formed UTF-16 without control characters but TAB, LF and CR. */
function isPlain(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text.replaceAll(/[\t\n\r]/g, ' '));
}

/** Refuses options that can't stand in a signature dictionary (`pades_option_invalid`, with a pointer to the field). */
export function assertSealOptions(options: SealOptions & { readonly contentsSize: number }): void {
  for (const key of texts) {
    const text = options[key];
    if (text === undefined) continue;
    if (text.length > sealLimits.text) throw invalid(key, `must not be longer than ${sealLimits.text} characters`);
    if (!isPlain(text)) throw invalid(key, 'must be plain text without control characters');
  }
  const { fieldName, signingTime, contentsSize, certify } = options;
  if (certify !== undefined && ![1, 2, 3].includes(certify)) throw invalid('certify', 'must be 1, 2 or 3');
  if (fieldName !== undefined) {
    if (fieldName.length < 1 || fieldName.length > sealLimits.fieldName) {
      throw invalid('fieldName', `must have 1 to ${sealLimits.fieldName} characters`);
    }
    // an existing field's full name has periods (ISO 32000-2 §12.7.4.2)
    if (/[\t\n\r]/.test(fieldName) || !isPlain(fieldName)) throw invalid('fieldName', 'must be plain text on one line');
  }
  const year = signingTime.getUTCFullYear();
  if (!(year >= 1970 && year <= 9999)) throw invalid('signingTime', 'must be a time between 1970 and 9999');
  assertContentsSize(contentsSize);
}

/** Refuses a number of bytes that can't be reserved in `/Contents` (`pades_option_invalid`). */
export function assertContentsSize(contentsSize: number): void {
  if (!Number.isSafeInteger(contentsSize) || contentsSize < 1 || contentsSize > sealLimits.contentsSize) {
    throw invalid('contentsSize', `must be between 1 and ${sealLimits.contentsSize} bytes`);
  }
}

function invalid(key: keyof SealOptions | 'contentsSize', how: string): SigillumError {
  const name = key === 'fieldName' ? 'field' : key;
  const pointer = `/${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
  const detail = `${pointer.slice(1)} ${how}`;
  return new SigillumError('pades_option_invalid', `The option ${detail}.`, { fields: [{ pointer, detail }] });
}
