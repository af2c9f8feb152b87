import { SigillumError } from '@sigillum/errors';
import type { FormField, PdfDict, PdfDocument, PdfRef } from '@sigillum/pdf';
import { type FieldLock, isLocked } from './field-lock.ts';
import { type FieldWidget, listFieldWidgets } from './field-widgets.ts';
import { refuseInput } from './input-policy.ts';

/** Where the signature goes: into a new field, or into an empty one that the form has. */
export type TargetField =
  | { readonly kind: 'new'; readonly name: string }
  | {
      readonly kind: 'existing';
      readonly name: string;
      readonly ref: PdfRef;
      readonly dict: PdfDict;
      readonly widgets: readonly FieldWidget[];
    };

/**
 * The field asked for: an empty signature field of that full name, else a new one called so; without a name a new one, by
 * the first of Signature1, Signature2, … that is free and not locked.
 */
export function chooseField(
  document: PdfDocument,
  asked: string | undefined,
  fields: readonly FormField[],
  locks: readonly FieldLock[],
): TargetField {
  if (asked === undefined) return { kind: 'new', name: findFreeName(fields, locks) };
  if (locks.some((lock) => isLocked(lock, asked))) throw refuseInput('locks_allow');
  const [field, ...others] = fields.filter(({ name }) => name === asked);
  if (field === undefined) {
    // ISO 32000-2 §12.7.4.2: the period separates partial names, so no single field can be called so
    if (asked.includes('.')) {
      const detail = 'the form has no field of that name, and the name of a new one has no period';
      throw new SigillumError('pades_option_invalid', `The option field is not valid: ${detail}.`, {
        fields: [{ pointer: '/field', detail }],
      });
    }
    return { kind: 'new', name: asked };
  }
  if (field.type !== 'Sig' || fields.some(({ name }) => name.startsWith(`${asked}.`))) {
    throw new SigillumError(
      'pades_field_exists',
      'The form has a field of the name asked for that is not a signature field.',
    );
  }
  if (others.length > 0) throw unusable('comes several times in the form');
  return takeExisting(document, field);
}

function takeExisting(document: PdfDocument, field: FormField): TargetField {
  const { ref, dict, name } = field;
  if (document.resolve(field.value ?? null) !== null) {
    throw new SigillumError('pades_field_filled', 'The signature field asked for is signed already. Name another one.');
  }
  if (ref === undefined) throw unusable('has no object of its own');
  // table 227: bit 1 is ReadOnly
  const flags = document.find(dict, 'Ff') ?? 0;
  if (typeof flags !== 'number' || (flags & 1) !== 0) throw unusable('is read-only');
  return { kind: 'existing', name, ref, dict, widgets: listFieldWidgets(document, field) };
}

function findFreeName(fields: readonly FormField[], locks: readonly FieldLock[]): string {
  const taken = new Set(fields.map(({ name }) => name));
  // All and Exclude lock nearly every name: then no number helps, and each try costs one of the names that are known
  const tries = 1 + taken.size + locks.reduce((sum, { names }) => sum + names.length, 0);
  // a name without a period is locked by itself only
  const sets = locks.map(({ action, names }) => ({ action, names: new Set(names) }));
  for (let number = 1; number <= tries; number++) {
    const name = `Signature${number}`;
    const isHeld = sets.some(({ action, names }) => action === 'All' || (action === 'Include') === names.has(name));
    if (!taken.has(name) && !isHeld) return name;
  }
  throw refuseInput('locks_allow');
}

/** The error for an existing field that can't be filled. */
export function unusable(why: string): SigillumError {
  return new SigillumError('pades_field_unusable', `The signature field asked for ${why}. Name another one, or none.`, {
    fields: [{ pointer: '/field', detail: why }],
  });
}
