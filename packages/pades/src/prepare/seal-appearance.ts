import type { IncrementalUpdate, Page, PdfDocument, PdfRef } from '@sigillum/pdf';

/** `[left, bottom, right, top]` in the default user space of a page (ISO 32000-2 §8.3.2.3), as `/Rect` has it. */
export type Rectangle = readonly [number, number, number, number];

/** Where an existing signature field stands, which is about to be filled. Its rectangle and page stay as they are. */
export type FieldPlace = { readonly page: PdfRef; readonly rectangle: Rectangle };

/**
 * Makes a seal visible. Synchronous, and the same for the same document: it is asked once for each attempt to prepare.
 *
 * @param field the existing field's place when one is filled that has an area; the answer must then keep both. Undefined
 * for a new field, and for an existing one without an area.
 */
export type SealAppearance = (document: PdfDocument, field?: FieldPlace) => PlacedAppearance;

/** What a seal shows, and where. */
export type PlacedAppearance = {
  /** The page, or the reference of its object. */
  readonly page: Page | PdfRef;
  /** Becomes `/Rect` of a new widget, rounded to a thousandth; it must have an area. */
  readonly rectangle: Rectangle;
  /** Adds a form XObject (§8.10) and what it needs to the update; its reference becomes `/AP /N` of the widget. */
  addForm(update: IncrementalUpdate): PdfRef;
};
