import {
  encodeTextString,
  findFirstPage,
  type IncrementalUpdate,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  type PdfObject,
  PdfReal,
  PdfRef,
  type Rectangle,
} from '@sigillum/pdf';
import { addToPage } from './add-to-page.ts';
import type { PlacedAppearance } from './seal-appearance.ts';

/** Print and Locked (ISO 32000-2 table 167): what PDF/A asks of an annotation, and no viewer lets it be moved. */
const printAndLocked = 4 + 128;

export type NewField = {
  readonly name: string;
  readonly signature: PdfRef;
  /** Without one the field shows nothing and stands on the first page. */
  readonly placed: PlacedAppearance | undefined;
  /** Whether the document has signatures already. */
  readonly isSigned: boolean;
  /** An appearance that the document has already, or none at all, for a field that shows nothing: instead of a new one. */
  readonly appearance?: PdfRef | 'none';
};

/** Puts a signature field, merged with its widget, onto a page; its reference belongs into the form. */
export function addNewField(document: PdfDocument, update: IncrementalUpdate, field: NewField): PdfRef {
  const { name, signature, placed, isSigned } = field;
  const ref = update.allocate();
  const page = findPageOf(document, placed);
  addToPage(document, update, page, ref, isSigned);
  const shown = field.appearance ?? (placed === undefined ? addEmptyAppearance(update) : placed.addForm(update));
  update.set(
    ref,
    new PdfDict([
      ['Type', new PdfName('Annot')],
      ['Subtype', new PdfName('Widget')],
      ['FT', new PdfName('Sig')],
      ['T', encodeTextString(name)],
      ['F', printAndLocked],
      ['Rect', placed === undefined ? [0, 0, 0, 0] : encodeRectangle(placed.rectangle)],
      ['P', page],
      ['V', signature],
      ...(shown === 'none' ? [] : [['AP', new PdfDict([['N', shown]])] as const]),
    ]),
  );
  return ref;
}

function findPageOf(document: PdfDocument, placed: PlacedAppearance | undefined): PdfRef {
  if (placed === undefined) return findFirstPage(document).ref;
  return placed.page instanceof PdfRef ? placed.page : placed.page.ref;
}

/** ISO 19005-1 §6.9 wants an appearance for every field, also for one that shows nothing. */
export function addEmptyAppearance(update: IncrementalUpdate, size: readonly [number, number] = [0, 0]): PdfRef {
  const appearance = update.allocate();
  const dict = new PdfDict([
    ['Type', new PdfName('XObject')],
    ['Subtype', new PdfName('Form')],
    ['BBox', [0, 0, ...size.map(encodeNumber)]],
    ['Resources', new PdfDict()],
  ]);
  update.set(appearance, new PdfNewStream(dict, new Uint8Array()));
  return appearance;
}

function encodeRectangle(rectangle: Rectangle): readonly PdfObject[] {
  return rectangle.map(encodeNumber);
}

/** To a thousandth of a unit, never in the notation with an exponent, which PDF doesn't have (§7.3.3). */
function encodeNumber(value: number): PdfObject {
  const rounded = Math.round(value * 1000) / 1000;
  return Number.isInteger(rounded) ? rounded : new PdfReal(rounded.toFixed(3));
}
