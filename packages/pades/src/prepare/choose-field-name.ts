import { SigillumError } from '@sigillum/errors';
import type { FormField } from '@sigillum/pdf';
import { type FieldLock, isLocked } from './field-lock.ts';

/** A name for the new field: the one asked for, or the first of Signature1, Signature2, … that is free and not locked. */
export function chooseFieldName(
  asked: string | undefined,
  fields: readonly FormField[],
  locks: readonly FieldLock[],
): string {
  const taken = new Set(fields.map(({ name }) => name));
  if (asked !== undefined) {
    if (taken.has(asked)) {
      throw new SigillumError('pades_field_exists', 'The form of the PDF already has a field of the name asked for.');
    }
    if (locks.some((lock) => isLocked(lock, asked))) throw locked();
    return asked;
  }
  // All and Exclude lock nearly every name: then no number helps, and each try costs one of the names that are known
  const tries = 1 + taken.size + locks.reduce((sum, { names }) => sum + names.length, 0);
  for (let number = 1; number <= tries; number++) {
    const name = `Signature${number}`;
    if (!taken.has(name) && !locks.some((lock) => isLocked(lock, name))) return name;
  }
  throw locked();
}

function locked(): SigillumError {
  return new SigillumError(
    'fieldmdp_forbids_field',
    'An earlier signature locks the form of the PDF: a new signature field would break it.',
  );
}
