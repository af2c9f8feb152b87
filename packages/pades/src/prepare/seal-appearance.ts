import type { IncrementalUpdate, Page, PdfDocument, PdfRef, Rectangle } from '@sigillum/pdf';

/** Where an existing signature field stands, which is about to be filled. It stays there. */
export type FieldPlace = { readonly page: PdfRef; readonly rectangle: Rectangle };

/**
 * Makes a seal visible. Synchronous, and the same for the same document: it is asked once for each attempt to prepare.
 *
 * @param field the place of an existing field that is filled; page and rectangle of the answer don't count then. Undefined
 * for a new field.
 */
export type SealAppearance = (document: PdfDocument, field?: FieldPlace) => PlacedAppearance;

/** What a seal shows, and where. */
export type PlacedAppearance = {
  /** The page, or the reference of its object. */
  readonly page: Page | PdfRef;
  /** In the default user space of the page (ISO 32000-2 §8.3.2.3). Becomes `/Rect`, rounded to a thousandth; it must have an area. */
  readonly rectangle: Rectangle;
  /** Adds a form XObject (§8.10) and what it needs to the update; its reference becomes `/AP /N` of the widget. */
  addForm(update: IncrementalUpdate): PdfRef;
};
