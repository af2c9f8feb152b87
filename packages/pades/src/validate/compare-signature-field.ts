import {
  type FormField,
  isName,
  isPdfArray,
  PdfDict,
  type PdfDocument,
  type PdfObject,
  PdfReal,
  PdfRef,
} from '@sigillum/pdf';
import type { ChangeLog, ChangePolicy } from './revision-change.ts';
import { listDifferentKeys, type RevisionPair } from './revision-pair.ts';

/** What a new signature field or its widget may have: no actions, nothing that isn't known. */
const newKeys = new Set(
  'Type Subtype FT T TU TM Ff F Rect P V AP AS MK BS Border DA Q Lock SV Parent Kids NM M Contents'.split(' '),
);
/** What signing an existing field may change. */
const signingKeys = new Set(['V', 'AP', 'AS', 'F', 'Ff', 'M', 'Type', 'MK', 'DA']);
/** Hidden (ISO 32000-2 table 167). */
const hiddenFlag = 2;

/** The widgets of a field: itself when merged, and kids without a name. */
export function listWidgets(document: PdfDocument, field: FormField): readonly { number: number; dict: PdfDict }[] {
  const found: { number: number; dict: PdfDict }[] = [];
  if (field.ref !== undefined && field.dict.has('Rect')) found.push({ number: field.ref.number, dict: field.dict });
  const kids = document.find(field.dict, 'Kids');
  for (const kid of isPdfArray(kids) ? kids : []) {
    if (!(kid instanceof PdfRef)) continue;
    const dict = document.resolve(kid);
    if (dict instanceof PdfDict && !dict.has('T')) found.push({ number: kid.number, dict });
  }
  return found;
}

/** Whether an annotation can show anything: it has an area and isn't hidden. What can't be read is visible. */
export function isVisible(document: PdfDocument, widget: PdfDict): boolean {
  const flags = document.find(widget, 'F') ?? 0;
  if (typeof flags === 'number' && (flags & hiddenFlag) !== 0) return false;
  const rect = document.find(widget, 'Rect');
  if (!isPdfArray(rect) || rect.length !== 4) return true;
  const [left, bottom, right, top] = rect.map((value) => toNumber(document.resolve(value)));
  return left === undefined || bottom === undefined || left !== right || bottom !== top;
}

function toNumber(value: PdfObject): number | undefined {
  if (typeof value === 'number') return value;
  return value instanceof PdfReal ? value.value : undefined;
}

/** A signature field that came, or that was signed. `old` is undefined for a new one. */
export function compareSignatureField(
  pair: RevisionPair,
  policy: ChangePolicy,
  old: FormField | undefined,
  field: FormField,
  allowedOnPages: Set<number>,
  log: ChangeLog,
): void {
  const { after } = pair;
  const widgets = listWidgets(after, field);
  const visible = widgets.some(({ dict }) => isVisible(after, dict));
  if (old === undefined) {
    if (!isNewFieldFine(pair, field, widgets))
      return log.refuse('a signature field was added that has more than it may');
  } else if (!isSignedFieldFine(pair, old, field, widgets, log)) {
    return log.refuse(`signature field ${field.ref?.number ?? ''} was changed`);
  }
  const value = field.value;
  const signature = value === undefined ? undefined : after.resolve(value);
  if (signature === undefined) {
    if (visible || !policy.isSigned || policy.permission !== undefined || policy.isLocked(field.name)) {
      return log.refuse('an empty signature field was added');
    }
    log.allow('form_filling', 'an empty signature field was added');
  } else {
    if (!(value instanceof PdfRef) || !pair.added.has(value.number) || !(signature instanceof PdfDict)) {
      return log.refuse('a field shows a signature that was not made with it');
    }
    if (isName(signature.find('SubFilter'), 'ETSI.RFC3161')) {
      // anyone can have a time-stamp: it must not show anything, nor stand for anything
      if (visible) return log.refuse('a document time-stamp with an appearance was added');
      log.allow('lta_update', 'a document time-stamp was added');
    } else if (!addSignature(policy, old !== undefined, field.name, visible, log)) return;
  }
  for (const { number } of widgets) allowedOnPages.add(number);
}

function addSignature(policy: ChangePolicy, isOld: boolean, name: string, visible: boolean, log: ChangeLog): boolean {
  const refuse = (what: string): boolean => {
    log.refuse(what, 'certification_violated', 'new_signatures');
    return false;
  };
  if (policy.permission === 1) return refuse('a signature was added to a document certified against any change');
  if (policy.isLocked(name)) return refuse('a signature was added that an earlier one locks out');
  if (visible && !isOld && policy.permission !== undefined) {
    return refuse('a visible signature was added to a certified document');
  }
  log.allow('new_signatures', visible ? 'a visible signature was added' : 'a signature was added');
  return true;
}

function isNewFieldFine(
  pair: RevisionPair,
  field: FormField,
  widgets: readonly { number: number; dict: PdfDict }[],
): boolean {
  const dicts = [field.dict, ...widgets.map(({ dict }) => dict)];
  const kids = pair.after.find(field.dict, 'Kids') ?? [];
  return (
    dicts.every((dict) => dict.duplicates.length === 0 && [...dict.entries()].every(([key]) => newKeys.has(key))) &&
    widgets.every(({ number, dict }) => pair.added.has(number) && isWidget(pair, dict)) &&
    isPdfArray(kids) &&
    kids.length === widgets.filter(({ dict }) => dict !== field.dict).length
  );
}

function isWidget(pair: RevisionPair, dict: PdfDict): boolean {
  const type = pair.after.find(dict, 'Subtype');
  return type === undefined || isName(type, 'Widget');
}

/** An existing field that was empty and now has a value, and what shows it. */
function isSignedFieldFine(
  pair: RevisionPair,
  old: FormField,
  field: FormField,
  widgets: readonly { number: number; dict: PdfDict }[],
  log: ChangeLog,
): boolean {
  const wasEmpty = old.value === undefined || pair.before.resolve(old.value) === null;
  if (!wasEmpty || field.value === undefined) return false;
  const numbers = new Set([field.ref?.number ?? 0, ...widgets.map(({ number }) => number)]);
  for (const number of numbers) {
    const change = pair.changed.get(number);
    if (change === undefined) continue;
    const { before, after } = change;
    if (!(before instanceof PdfDict) || !(after instanceof PdfDict)) return false;
    if (!listDifferentKeys(pair, before, after).every((key) => signingKeys.has(key))) return false;
    log.explained.add(number);
  }
  return true;
}
