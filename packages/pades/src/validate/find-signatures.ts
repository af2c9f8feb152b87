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

/**
 * Every signature of the newest revision, and whether one that an earlier revision had is gone, was replaced, or is known to
 * something else than a field only.
 */
export function findSignatures({ document, views }: Revisions, findings: Findings): readonly FoundSignature[] {
  const found = listSignatures(document);
  if (found.length > validationLimits.signatures || views.length > maxSections) findings.add('too_many_signatures');
  const numbers = new Set<number>();
  for (const { ref } of found) {
    if (ref === undefined) continue;
    if (numbers.has(ref.number)) findings.add('signature_shared', `Object ${ref.number}.`);
    numbers.add(ref.number);
  }
  for (const hidden of listPermissionSignatures(document)) if (!numbers.has(hidden)) findings.add('signature_hidden');
  for (const view of views.slice(1, maxSections)) checkNothingDropped(view, document, numbers, findings);
  return found.slice(0, validationLimits.signatures);
}

/** Sections looked at for signatures: before the first signature a file may have been saved often. */
const maxSections = 512;

function checkNothingDropped(
  view: PdfDocument,
  document: PdfDocument,
  numbers: ReadonlySet<number>,
  findings: Findings,
): void {
  let earlier: readonly FoundSignature[];
  try {
    earlier = listSignatures(view);
  } catch (error) {
    // the older half of a linearized file is no document of its own
    if (isSigillumError(error) && error.code !== 'pdf_limit_exceeded') return;
    throw error;
  }
  for (const { ref, dict, entry } of earlier) {
    if (ref === undefined || !dict?.has('ByteRange')) continue;
    const now = document.findEntry(ref.number);
    if (!numbers.has(ref.number) || !equalEntries(entry, now)) {
      findings.add('signature_dropped', `Object ${ref.number}.`);
    }
  }
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
