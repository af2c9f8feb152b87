import { isSigillumError } from '@sigillum/errors';
import { type FormField, listFormFields, PdfDict, type PdfDocument, PdfRef, type XrefEntry } from '@sigillum/pdf';
import type { Findings } from './findings.ts';
import type { Revisions } from './read-revisions.ts';
import { validationLimits } from './validation-limits.ts';

/** A signature as a field of the newest revision shows it. */
export type FoundSignature = {
  readonly field: FormField;
  /** `/V` as it stands in the field. */
  readonly ref: PdfRef | undefined;
  readonly dict: PdfDict | undefined;
  readonly entry: XrefEntry | undefined;
};

/** A signature that an earlier revision had, and that is gone or was replaced. */
export type DroppedSignature = {
  /** Index of the newest revision that has it. */
  readonly revision: number;
  readonly number: number;
};

export type FoundSignatures = {
  readonly found: readonly FoundSignature[];
  readonly dropped: readonly DroppedSignature[];
};

/**
 * Every signature of the newest revision, and those that are gone since an earlier one. One that is known to something else
 * than a field only is a finding.
 */
export function findSignatures({ document, views }: Revisions, findings: Findings): FoundSignatures {
  const found = listSignatures(document);
  if (found.length > validationLimits.signatures || views.length > maxSections) findings.add('too_many_signatures');
  const numbers = new Set<number>();
  for (const { ref } of found) {
    if (ref === undefined) continue;
    if (numbers.has(ref.number)) findings.add('signature_shared', `Object ${ref.number}.`);
    numbers.add(ref.number);
  }
  for (const hidden of listPermissionSignatures(document)) if (!numbers.has(hidden)) findings.add('signature_hidden');
  const dropped = new Map<number, DroppedSignature>();
  for (const [index, view] of views.slice(0, maxSections).entries()) {
    for (const number of index === 0 ? [] : listDropped(view, document, numbers)) {
      if (!dropped.has(number)) dropped.set(number, { revision: index, number });
    }
  }
  return { found: found.slice(0, validationLimits.signatures), dropped: [...dropped.values()] };
}

/** Sections looked at for signatures: before the first signature a file may have been saved often. */
const maxSections = 512;

function listDropped(view: PdfDocument, document: PdfDocument, numbers: ReadonlySet<number>): readonly number[] {
  let earlier: readonly FoundSignature[];
  try {
    earlier = listSignatures(view);
  } catch (error) {
    // the older half of a linearized file is no document of its own
    if (isSigillumError(error) && error.code !== 'pdf_limit_exceeded') return [];
    throw error;
  }
  return earlier.flatMap(({ ref, dict, entry }) => {
    if (ref === undefined || !dict?.has('ByteRange')) return [];
    const isThere = numbers.has(ref.number) && equalEntries(entry, document.findEntry(ref.number));
    return isThere ? [] : [ref.number];
  });
}

export function equalEntries(left: XrefEntry | undefined, right: XrefEntry | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (left.type === 'compressed') {
    return right.type === 'compressed' && left.container === right.container && left.index === right.index;
  }
  return right.type === left.type && left.offset === right.offset && left.generation === right.generation;
}

function listSignatures(document: PdfDocument): readonly FoundSignature[] {
  return listFormFields(document).flatMap((field) => {
    if (field.type !== 'Sig' || field.value === undefined) return [];
    const { value } = field;
    const ref = value instanceof PdfRef ? value : undefined;
    const resolved = document.resolve(value);
    if (resolved === null) return [];
    const dict = resolved instanceof PdfDict ? resolved : undefined;
    return [{ field, ref, dict, entry: ref && document.findEntry(ref.number) }];
  });
}

/** Object numbers of what `/Perms` calls signatures (ISO 32000-2 §12.8.6). */
function listPermissionSignatures(document: PdfDocument): readonly number[] {
  const permissions = document.findDict(document.catalog.find('Perms'), '/Perms of the catalog');
  const value = permissions?.find('DocMDP');
  if (value === undefined) return [];
  return [value instanceof PdfRef ? value.number : -1];
}
