import { isSigillumError } from '@sigillum/errors';
import type { PdfDict, PdfDocument } from '@sigillum/pdf';
import { isLocked, listFieldLocks } from '../prepare/field-lock.ts';
import { listTransforms } from '../prepare/list-earlier-signatures.ts';
import type { FoundSignature } from './find-signatures.ts';
import type { ChangePolicy } from './revision-change.ts';

/** `/P` of a certification, 2 when it doesn't say; undefined when the signature certifies nothing. What is malformed forbids all. */
export function readCertification(document: PdfDocument, dict: PdfDict): number | undefined {
  try {
    const levels = listTransforms(document, dict, 'DocMDP').map((parameters) => {
      const level = document.find(parameters, 'P') ?? 2;
      return level === 2 || level === 3 ? level : 1;
    });
    return levels.length === 0 ? undefined : Math.min(...levels);
  } catch (error) {
    if (isSigillumError(error)) return 1;
    throw error;
  }
}

/** What the signatures that are in a revision allow afterwards. */
export function readChangePolicy(
  view: PdfDocument,
  signatures: readonly FoundSignature[],
  isSigned: boolean,
): ChangePolicy {
  const levels = signatures.flatMap(({ dict, field }) => {
    const own = dict && readCertification(view, dict);
    return [own, readLockLevel(view, field.dict)].filter((level) => level !== undefined);
  });
  const permission = levels.length === 0 ? undefined : Math.min(...levels);
  try {
    const earlier = signatures.flatMap(({ dict, field }) => (dict ? [{ dict, field }] : []));
    const locks = listFieldLocks(view, earlier);
    return { permission, isSigned, isLocked: (name) => locks.some((lock) => isLocked(lock, name)) };
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    return { permission: 1, isSigned, isLocked: () => true };
  }
}

/** ISO 32000-2 table 236: a lock may certify as well. */
function readLockLevel(view: PdfDocument, field: PdfDict): number | undefined {
  try {
    const lock = view.findDict(field.find('Lock'), '/Lock of a signature field');
    const level = lock && view.find(lock, 'P');
    if (level === undefined) return undefined;
    return level === 2 || level === 3 ? level : 1;
  } catch (error) {
    if (isSigillumError(error)) return 1;
    throw error;
  }
}
