import type { PdfDict, PdfRef } from '../objects/pdf-object.ts';

/** A leaf of the page tree (ISO 32000-2 §7.7.3.3). */
export type Page = {
  readonly ref: PdfRef;
  readonly dict: PdfDict;
  /** The nodes above it, nearest first, as the way from the catalog to it led through them: attributes are inherited from these. */
  readonly ancestors: readonly PdfDict[];
};
