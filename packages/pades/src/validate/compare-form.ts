import { type FormField, listFormFields, PdfDict, type PdfObject, PdfRef, readAcroForm } from '@sigillum/pdf';
import { compareFilledField } from './compare-filled-field.ts';
import { compareSignatureField, listWidgets } from './compare-signature-field.ts';
import type { ChangeLog, ChangePolicy } from './revision-change.ts';
import { isOnlyAt, listDifferentKeys, type RevisionPair } from './revision-pair.ts';

/** Entries of the form itself that may come where there were none; filling may add to the resources. */
const appearanceKeys = new Set(['DR', 'DA', 'Q']);
/** Deeper than resources go. */
const maxResourceDepth = 4;

/**
 * The form (ISO 32000-2 §12.7): signature fields may come, empty ones be signed, others be filled, as far as the policy
 * allows. @returns numbers of the widgets that may now stand on pages
 */
export function compareForm(pair: RevisionPair, policy: ChangePolicy, log: ChangeLog): ReadonlySet<number> {
  const widgets = new Set<number>();
  const [was, is] = [readAcroForm(pair.before), readAcroForm(pair.after)];
  if (is === undefined) {
    if (was !== undefined) log.refuse('the form was removed');
    return widgets;
  }
  const root = pair.after.catalogRef.number;
  for (const key of listDifferentKeys(pair, was?.dict ?? new PdfDict(), is.dict)) {
    if (key === 'Fields') continue;
    if (key === 'SigFlags') {
      const kept = ((was?.sigFlags ?? 0) & is.sigFlags) === (was?.sigFlags ?? 0);
      if (!kept || (is.sigFlags & ~3) !== 0) log.refuse('the signature flags of the form were changed');
    } else if (key === 'NeedAppearances') {
      // true makes readers draw fields anew: what was signed as shown may then look otherwise
      if ((pair.after.find(is.dict, key) ?? false) !== false) log.refuse('the appearances of the form are made anew');
    } else if (appearanceKeys.has(key) && was?.dict.has(key) !== true) {
      // readers may draw other fields by it: only where nothing but signatures is there it changes nothing
      const isShown = listFormFields(pair.before).some(({ type }) => type !== 'Sig');
      if (isShown) noteFilling(`/${key} of the form was added`, policy, log);
      else log.allow('lta_update', `/${key} of the form was added`);
    } else if (key === 'DR' && isExtended(pair, was?.dict.find(key), is.dict.find(key), log, maxResourceDepth)) {
      noteFilling('the resources of the form were extended', policy, log);
    } else log.refuse(`the form has another /${key.replaceAll(/[^!-~]/g, '?').slice(0, 64)}`);
  }
  if (is.ref !== undefined && pair.changed.has(is.ref.number)) log.explained.add(is.ref.number);
  const place = is.ref === undefined ? `${root}/AcroForm/Fields` : `${is.ref.number}/Fields`;
  if (is.fieldsRef !== undefined && pair.changed.has(is.fieldsRef.number)) {
    if (isOnlyAt(pair, is.fieldsRef.number, place)) log.explained.add(is.fieldsRef.number);
  }
  const kept = was?.fields ?? [];
  if (!kept.every((field, index) => pair.equal(field, is.fields[index]))) log.refuse('fields of the form were removed');
  compareFields(pair, policy, new Set(is.fields.slice(kept.length)), widgets, log);
  return widgets;
}

function compareFields(
  pair: RevisionPair,
  policy: ChangePolicy,
  appended: ReadonlySet<PdfObject>,
  widgets: Set<number>,
  log: ChangeLog,
): void {
  const before = new Map<number, FormField>();
  for (const field of listFormFields(pair.before)) if (field.ref) before.set(field.ref.number, field);
  const fields = listFormFields(pair.after);
  const names = new Set<string>();
  const after = new Set<number>();
  const appendedNumbers = new Set([...appended].map((value) => (value instanceof PdfRef ? value.number : -1)));
  for (const field of fields) {
    const number = field.ref?.number;
    if (names.has(field.name) && number !== undefined && !before.has(number)) log.refuse('two fields have one name');
    names.add(field.name);
    if (number === undefined) continue; // direct: compared with the array that it is in
    after.add(number);
    const old = before.get(number);
    if (old === undefined) {
      if (field.type !== 'Sig' || !pair.added.has(number) || !appendedNumbers.has(number)) {
        log.refuse('a field was added that is not for a signature');
      } else compareSignatureField(pair, policy, undefined, field, widgets, log);
      continue;
    }
    if (old.name !== field.name || old.type !== field.type)
      log.refuse(`field ${number} was renamed or is of another type`);
    const touched = [number, ...listWidgets(pair.after, field).map(({ number: widget }) => widget)];
    if (field.type === 'Sig') {
      if (touched.some((one) => pair.changed.has(one))) compareSignatureField(pair, policy, old, field, widgets, log);
    } else compareFilledField(pair, policy, old, field, log);
  }
  for (const number of before.keys()) if (!after.has(number)) log.refuse(`field ${number} was removed`);
  // what is appended to the form must be one of its fields
  for (const number of appendedNumbers)
    if (!after.has(number)) log.refuse('something that is no field was added to the form');
}

function noteFilling(what: string, policy: ChangePolicy, log: ChangeLog): void {
  if (policy.permission === 1) log.refuse(what, 'certification_violated', 'form_filling');
  else if (policy.permission === undefined && !policy.isSigned)
    log.refuse(what, 'changed_after_signing', 'form_filling');
  else log.allow('form_filling', what);
}

/** Whether nothing was taken away or replaced, only added. */
function isExtended(
  pair: RevisionPair,
  was: PdfObject | undefined,
  is: PdfObject | undefined,
  log: ChangeLog,
  depth: number,
): boolean {
  const touched = is instanceof PdfRef && pair.changed.has(is.number);
  if (was === undefined || (pair.equal(was, is) && !touched)) return true;
  const [left, right] = [pair.before.resolve(was), pair.after.resolve(is ?? null)];
  if (!(left instanceof PdfDict) || !(right instanceof PdfDict) || depth === 0) return false;
  const isKept = [...left.entries()].every(([key, value]) => isExtended(pair, value, right.find(key), log, depth - 1));
  if (isKept && touched) log.explained.add(is.number);
  return isKept;
}
