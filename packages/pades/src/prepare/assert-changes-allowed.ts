import { SigillumError } from '@sigillum/errors';
import { isPdfArray, type PdfDocument, type PdfObject, wrongType } from '@sigillum/pdf';
import { type EarlierSignature, listTransforms } from './list-earlier-signatures.ts';

/** Refuses documents to which earlier signatures don't allow another one, or whose signatures claim what we would add. */
export function assertChangesAllowed(document: PdfDocument, signatures: readonly EarlierSignature[]): void {
  for (const signature of signatures) {
    assertByteRangeInside(document, signature);
    for (const level of listPermissionLevels(document, signature)) {
      // ISO 32000-2 table 257: 1 allows no change at all; 2 and 3 allow signing
      if (level === 1) {
        throw new SigillumError(
          'docmdp_forbids_changes',
          'The document was certified with "no changes allowed": another signature would break that certification.',
        );
      }
    }
  }
}

/** DocMDP's `/P`, and the one that a signed field's lock brings (ISO 32000-2 table 236). */
function listPermissionLevels(document: PdfDocument, { dict, field }: EarlierSignature): number[] {
  const levels: PdfObject[] = listTransforms(document, dict, 'DocMDP').map(
    (parameters) => document.find(parameters, 'P') ?? 2,
  );
  const lock = document.findDict(field?.dict.find('Lock'), '/Lock of a signature field');
  const locked = lock && document.find(lock, 'P');
  if (locked !== undefined) levels.push(locked);
  return levels.map((level) => {
    if (level === 1 || level === 2 || level === 3) return level;
    throw wrongType('/P of a document permission', '1, 2 or 3');
  });
}

/**
 * A ByteRange that reaches past the end would take in our bytes, so that the earlier signature changes its meaning
 * with what we append (design of the input policy). Other damage of an earlier signature doesn't stop a seal.
 */
function assertByteRangeInside(document: PdfDocument, { dict }: EarlierSignature): void {
  const range = document.find(dict, 'ByteRange');
  if (range === undefined) return;
  if (!isPdfArray(range)) throw wrongType('/ByteRange of a signature', 'an array');
  const numbers = range.map((value) => {
    const number = document.resolve(value);
    if (typeof number !== 'number' || number < 0) throw wrongType('/ByteRange of a signature', 'four integers');
    return number;
  });
  for (let i = 0; i < numbers.length; i += 2) {
    if ((numbers[i] ?? 0) + (numbers[i + 1] ?? 0) > document.source.size) {
      throw new SigillumError(
        'pades_byte_range_past_end',
        'An earlier signature in the PDF covers bytes after its end: the file is cut off, or was signed only halfway.',
      );
    }
  }
}
