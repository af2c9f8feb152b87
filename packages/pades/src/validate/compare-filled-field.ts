import { type FormField, PdfDict, type PdfDocument, type PdfObject, PdfRef, PdfStream } from '@sigillum/pdf';
import { listWidgets } from './compare-signature-field.ts';
import type { ChangeLog, ChangePolicy } from './revision-change.ts';
import { isOnlyAt, listDifferentKeys, type RevisionPair } from './revision-pair.ts';

/** What filling changes in a field and in its widgets: the value and what shows it. Never where it stands or what it does. */
const fillingKeys = new Set(['V', 'AS', 'AP', 'I', 'M', 'RV', 'DA']);

/** A field that isn't for signatures: its value, and the appearance of its widgets, may have changed if that was allowed. */
export function compareFilledField(
  pair: RevisionPair,
  policy: ChangePolicy,
  old: FormField,
  field: FormField,
  log: ChangeLog,
): void {
  const numbers = new Set([field.ref?.number ?? 0, ...listWidgets(pair.after, field).map(({ number }) => number)]);
  let isFilled = false;
  for (const number of numbers) {
    const change = pair.changed.get(number);
    if (change !== undefined) {
      const { before, after } = change;
      if (!(before instanceof PdfDict) || !(after instanceof PdfDict))
        return log.refuse(`field ${number} was replaced`);
      const others = listDifferentKeys(pair, before, after).filter((key) => !fillingKeys.has(key));
      if (others.length > 0) return log.refuse(`field ${number} was changed in more than its value`);
      log.explained.add(number);
      isFilled = true;
    }
    if (explainParts(pair, number, log)) isFilled = true;
  }
  if (!isFilled) return;
  if (isFixed(pair.before, old))
    return log.refuse(`field ${old.ref?.number ?? ''}, which nobody can fill, was changed`);
  const what = `field ${old.ref?.number ?? ''} was filled`;
  if (policy.permission === 1 || policy.isLocked(field.name))
    log.refuse(what, 'certification_violated', 'form_filling');
  else if (policy.permission === undefined && !policy.isSigned)
    log.refuse(what, 'changed_after_signing', 'form_filling');
  else log.allow('form_filling', what);
}

/** Bits of /Ff (ISO 32000-2 tables 227, 229). */
const readOnly = 1;
const pushButton = 1 << 16;
/** Fields above a field that are looked at for inherited flags. */
const maxParents = 32;

/** A read-only field changes by a calculation only, and a push button has no value at all (§12.7.5.2.2). */
function isFixed(document: PdfDocument, { dict, type }: FormField): boolean {
  let flags: PdfObject | undefined;
  let node: PdfDict | undefined = dict;
  for (let depth = 0; node !== undefined && flags === undefined && depth < maxParents; depth++) {
    flags = document.find(node, 'Ff');
    node = document.findDict(node.find('Parent'), '/Parent of a form field');
  }
  if (typeof flags !== 'number') return false;
  if (type === 'Btn' && (flags & pushButton) !== 0) return true;
  const actions = document.findDict(dict.find('AA'), '/AA of a form field');
  return (flags & readOnly) !== 0 && actions?.has('C') !== true;
}

/** Values and appearances that are objects of their own and belong to this widget alone. */
function explainParts(pair: RevisionPair, number: number, log: ChangeLog): boolean {
  let found = false;
  const widget = pair.after.resolve(new PdfRef(number, getGeneration(pair, number)));
  if (!(widget instanceof PdfDict)) return false;
  const explain = (value: unknown, shape: RegExp): void => {
    if (!(value instanceof PdfRef)) return;
    const change = pair.changed.get(value.number);
    if (change === undefined || !isOnlyAt(pair, value.number, shape)) return;
    if (change.before instanceof PdfStream !== change.after instanceof PdfStream) return;
    log.explained.add(value.number);
    found = true;
  };
  explain(widget.find('V'), new RegExp(`^${number}/V$`));
  const appearances = widget.find('AP');
  if (!(appearances instanceof PdfDict)) return found;
  for (const [, entry] of appearances.entries()) {
    explain(entry, new RegExp(`^${number}/AP/[NRD]$`));
    if (!(entry instanceof PdfDict)) continue;
    for (const [, state] of entry.entries()) explain(state, new RegExp(`^${number}/AP/[NRD]/[^/]+$`));
  }
  return found;
}

function getGeneration(pair: RevisionPair, number: number): number {
  const entry = pair.after.findEntry(number);
  return entry?.type === 'plain' ? entry.generation : 0;
}
