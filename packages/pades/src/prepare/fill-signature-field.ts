import {
  findPage,
  getPage,
  type IncrementalUpdate,
  isPdfArray,
  limits,
  PdfDict,
  type PdfDocument,
  type PdfObject,
  PdfReal,
  PdfRef,
  readPageBoxes,
  type Rectangle,
} from '@sigillum/pdf';
import { addEmptyAppearance, type NewField } from './add-new-field.ts';
import { type TargetField, unusable } from './choose-field.ts';
import type { FieldWidget } from './field-widgets.ts';
import type { FieldPlace, PlacedAppearance, SealAppearance } from './seal-appearance.ts';

type ExistingField = Extract<TargetField, { kind: 'existing' }>;

/** Bits of `/F` (ISO 32000-2 table 167). */
const printAndLocked = 4 + 128;
/** Invisible, Hidden, NoView, ToggleNoView: what would keep a visible seal from being seen. */
const unseen = 1 + 2 + 32 + 256;
/** Pages looked at for a widget that doesn't name its own. */
const maxPagesSearched = 200;

/**
 * Asks for the appearance of a field that is filled, which must have a place to show it. A widget that is an object of its
 * own can't change under earlier signatures: pyHanko calls that a violation.
 */
export function placeInField(
  document: PdfDocument,
  field: ExistingField,
  appearance: SealAppearance,
  isSigned: boolean,
): PlacedAppearance {
  const [widget] = field.widgets;
  if (isSigned && field.widgets.some(({ ref }) => ref.number !== field.ref.number)) {
    throw unusable('can not show a seal in a document that is signed already, only hold an invisible one');
  }
  const rectangle = widget && readRectangle(document, widget.dict);
  if (widget === undefined || rectangle === undefined) throw unusable('has no place for a visible seal');
  const place: FieldPlace = { page: findPageOfWidget(document, widget), rectangle };
  assertSeen(document, place);
  return appearance(document, place);
}

/**
 * Puts the signature into an empty field. Name, place, lock and everything else of it stay: validators allow no more
 * (EN 319 142-1 §6.3, ISO 32000-2 §12.8.2.2). Without an appearance the widget keeps the one it has.
 */
export function fillSignatureField(
  document: PdfDocument,
  update: IncrementalUpdate,
  field: ExistingField,
  { signature, placed, isSigned }: Pick<NewField, 'signature' | 'placed' | 'isSigned'>,
): void {
  const form = placed?.addForm(update);
  const merged = field.widgets.find(({ ref }) => ref.number === field.ref.number);
  update.set(field.ref, (merged ? showIn(document, update, merged, form) : field.dict).with({ V: signature }));
  for (const widget of isSigned ? [] : field.widgets) {
    if (widget !== merged) update.set(widget.ref, showIn(document, update, widget, form));
  }
}

function showIn(
  document: PdfDocument,
  update: IncrementalUpdate,
  { dict }: FieldWidget,
  form: PdfRef | undefined,
): PdfDict {
  const value = document.find(dict, 'F');
  const flags = typeof value === 'number' ? value : 0;
  if (form !== undefined) {
    return dict.with({ AP: new PdfDict([['N', form]]), AS: undefined, F: (flags & ~unseen) | printAndLocked });
  }
  const appearances = document.findDict(dict.find('AP'), '/AP of a widget');
  const shown = appearances?.has('N')
    ? dict
    : dict.with({ AP: new PdfDict([['N', addEmptyAppearance(update, readSize(document, dict))]]) });
  return shown.with({ F: flags | printAndLocked });
}

function readSize(document: PdfDocument, dict: PdfDict): readonly [number, number] {
  const rectangle = readRectangle(document, dict);
  return rectangle === undefined ? [0, 0] : [rectangle[2] - rectangle[0], rectangle[3] - rectangle[1]];
}

/** `/Rect` with its corners in order (§7.9.5); undefined when it has no area. */
function readRectangle(document: PdfDocument, dict: PdfDict): Rectangle | undefined {
  const value = document.find(dict, 'Rect');
  if (!isPdfArray(value) || value.length !== 4) throw unusable('has a malformed rectangle');
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = value.map((side) => readNumber(document.resolve(side)));
  const sorted: Rectangle = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
  return sorted[0] < sorted[2] && sorted[1] < sorted[3] ? sorted : undefined;
}

function readNumber(value: PdfObject): number {
  const number = value instanceof PdfReal ? value.value : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw unusable('has a malformed rectangle');
}

/** A seal of which more than half lies outside of what is shown of its page is seen by nobody. */
function assertSeen(document: PdfDocument, { page, rectangle }: FieldPlace): void {
  const { cropBox } = readPageBoxes(document, getPage(document, page));
  const [left, bottom, right, top] = rectangle;
  const width = Math.min(right, cropBox[2]) - Math.max(left, cropBox[0]);
  const height = Math.min(top, cropBox[3]) - Math.max(bottom, cropBox[1]);
  const seen = Math.max(0, width) * Math.max(0, height);
  if (2 * seen < (right - left) * (top - bottom)) throw unusable('lies outside of what is shown of its page');
}

/** The page that lists the widget: the one that `/P` names, which widgets may leave out, or another. */
function findPageOfWidget(document: PdfDocument, { ref, dict }: FieldWidget): PdfRef {
  const page = dict.find('P');
  if (page instanceof PdfRef && isShown(document, page) && lists(document, document.resolve(page), 'Annots', ref)) {
    return page;
  }
  for (let index = 0; index < maxPagesSearched; index++) {
    const candidate = findPage(document, index);
    if (candidate === undefined) break;
    if (lists(document, candidate.dict, 'Annots', ref)) return candidate.ref;
  }
  throw unusable('stands on no page that can be found');
}

/** Whether the page tree leads to a page, as its `/Parent` entries say. */
function isShown(document: PdfDocument, page: PdfRef): boolean {
  const root = document.catalog.find('Pages');
  let node = page;
  for (let depth = 0; depth < limits.pageTreeDepth; depth++) {
    if (root instanceof PdfRef && root.number === node.number) return true;
    const dict = document.resolve(node);
    const above = dict instanceof PdfDict ? dict.find('Parent') : undefined;
    if (!(above instanceof PdfRef) || !lists(document, document.resolve(above), 'Kids', node)) return false;
    node = above;
  }
  return false;
}

function lists(document: PdfDocument, dict: PdfObject, key: string, { number }: PdfRef): boolean {
  const list = dict instanceof PdfDict ? document.find(dict, key) : undefined;
  return isPdfArray(list) && list.some((one) => one instanceof PdfRef && one.number === number);
}
