import { isSigillumError, SigillumError } from '@sigillum/errors';
import { type FormField, isName, isPdfArray, type PdfDocument } from '@sigillum/pdf';
import { type FieldLock, listFieldLocks } from '../prepare/field-lock.ts';
import type { EarlierSignature } from '../prepare/list-earlier-signatures.ts';

/**
 * The first of DocumentTimeStamp1, DocumentTimeStamp2, … that the form doesn't have and no lock holds for.
 *
 * ISO 32000-2 §12.8.5 allows a document time-stamp after any lock, but EU DSS, when its warnings count, calls it a change of a locked
 * field. An archived file, in which a document time-stamp follows the lock already, is renewed all the same: else it would end.
 *
 * @throws SigillumError `fieldmdp_forbids_time_stamp` where a lock leaves no name
 */
export function chooseTimeStampName(
  document: PdfDocument,
  fields: readonly FormField[],
  earlier: readonly EarlierSignature[],
): string {
  const taken = new Set(fields.map(({ name }) => name));
  const locks = listNewLocks(document, earlier).map(({ action, names }) => ({ action, names: new Set(names) }));
  // the names have no period, so nothing but the name itself stands for one
  const isLocked = (name: string): boolean =>
    locks.some(({ action, names }) => action === 'All' || (action === 'Include') === names.has(name));
  // each try but the last meets a name that is known
  const tries = 1 + taken.size + locks.reduce((sum, { names }) => sum + names.size, 0);
  for (let number = 1; number <= tries; number++) {
    const name = `DocumentTimeStamp${number}`;
    if (!taken.has(name) && !isLocked(name)) return name;
  }
  throw new SigillumError(
    'fieldmdp_forbids_time_stamp',
    'A signature of the PDF locks its form, and validators may take a document time-stamp for a change of it: the file can become B-LT, but not B-LTA.',
  );
}

/** Locks that no document time-stamp follows; what is malformed locks nothing here, it is for validation. */
function listNewLocks(document: PdfDocument, earlier: readonly EarlierSignature[]): readonly FieldLock[] {
  const ends = earlier.map(({ dict }) => findEnd(document, dict.find('ByteRange')));
  const stampedUpTo = Math.max(
    0,
    ...earlier.map(({ dict }, index) =>
      isName(document.find(dict, 'SubFilter'), 'ETSI.RFC3161') ? (ends[index] ?? 0) : 0,
    ),
  );
  return earlier.flatMap((signature, index) => {
    if ((ends[index] ?? 0) < stampedUpTo) return [];
    try {
      return listFieldLocks(document, [signature]);
    } catch (error) {
      if (isSigillumError(error)) return [];
      throw error;
    }
  });
}

/** Where the bytes end that a signature covers; 0 when it doesn't say. */
function findEnd(document: PdfDocument, value: Parameters<PdfDocument['resolve']>[0] | undefined): number {
  const range = document.resolve(value ?? null);
  if (!isPdfArray(range)) return 0;
  const [start, length] = range.slice(2).map((part) => document.resolve(part));
  return typeof start === 'number' && typeof length === 'number' ? start + length : 0;
}
