import { isPdfArray, type PdfDocument, PdfRef, wrongType } from '@sigillum/pdf';
import { type FieldLock, readPermissionLevel } from './field-lock.ts';
import { refuseInput } from './input-policy.ts';
import { type EarlierSignature, listTransforms } from './list-earlier-signatures.ts';

/** What earlier signatures allow. */
export type EarlierPermissions = {
  /** The strictest `/P` of DocMDP and of locks (ISO 32000-2 tables 236 and 257); undefined when none has one. */
  readonly level: 1 | 2 | 3 | undefined;
  readonly locks: readonly FieldLock[];
};

/** Refuses documents to which earlier signatures don't allow another one, or whose signatures claim what we would add. */
export function assertChangesAllowed(
  document: PdfDocument,
  signatures: readonly EarlierSignature[],
  locks: readonly FieldLock[],
): EarlierPermissions {
  const owners = new Set<number>();
  for (const { dict, field } of signatures) {
    assertByteRangeInside(document, dict);
    if (!(field?.value instanceof PdfRef)) continue;
    if (owners.has(field.value.number)) throw refuseInput('signature_of_one_field');
    owners.add(field.value.number);
  }
  const levels = [
    ...signatures.flatMap(({ dict }) =>
      // table 257: 2 when it doesn't say
      listTransforms(document, dict, 'DocMDP').map(
        (parameters) => readPermissionLevel(document.find(parameters, 'P')) ?? 2,
      ),
    ),
    ...locks.flatMap(({ level }) => (level === undefined ? [] : [level])),
  ];
  // 1 allows no change at all; 2 and 3 allow signing
  if (levels.includes(1)) throw refuseInput('certification_allows');
  return { level: levels.includes(2) ? 2 : levels[0], locks };
}

/** Other damage of an earlier signature doesn't stop a seal. */
function assertByteRangeInside(document: PdfDocument, dict: EarlierSignature['dict']): void {
  const range = document.find(dict, 'ByteRange');
  if (range === undefined) return;
  if (!isPdfArray(range)) throw wrongType('/ByteRange of a signature', 'an array');
  const numbers = range.map((value) => {
    const number = document.resolve(value);
    if (typeof number !== 'number' || number < 0) throw wrongType('/ByteRange of a signature', 'four integers');
    return number;
  });
  for (let i = 0; i < numbers.length; i += 2) {
    if ((numbers[i] ?? 0) + (numbers[i + 1] ?? 0) > document.source.size) throw refuseInput('byte_range_inside');
  }
}
