import { isSigillumError } from '@sigillum/errors';
import { isName, isPdfArray, PdfDict, type PdfDocument, type PdfObject, PdfRef, PdfStream } from '@sigillum/pdf';

/** Objects read, from the first page on; only forms of many fields and maps have more. It bounds what hostile files cost. */
const maxObjects = 4096;

/** Keys that lead to other pages, to what nothing draws, or into data of single programs: looked at, but not followed. */
const elsewhere = new Set(
  'Parent P A AA Dest B Data Pg Next Prev PieceInfo Metadata AF FS EF Thumb StructTreeRoot'.split(' '),
);
/** What of the catalog decides what pages show. */
const shownOfCatalog = ['AcroForm', 'OCProperties'];

export type ShownObjects = {
  /** The number of an object with a key twice, in itself or in a value of its own. */
  readonly ambiguous: number | undefined;
  /** Numbers that are referred to and have no object: free, at offset 0, or not listed. They mean null (ISO 32000-2 §7.3.10). */
  readonly missing: ReadonlySet<number>;
};

/**
 * Looks at what readers need to show some pages: resources down to fonts, images and forms, annotations with their
 * appearances, the form and the layers; and at what the catalog refers to.
 */
export function walkShownObjects(document: PdfDocument, pages: readonly PdfDict[]): ShownObjects {
  const seen = new Set<number>();
  const missing = new Set<number>();
  let next: PdfRef[] = [];
  const look = ({ number }: PdfRef): void => {
    if (isMissing(document, number)) missing.add(number);
  };
  const follow = (ref: PdfRef): void => {
    if (seen.has(ref.number)) return;
    seen.add(ref.number);
    if (isMissing(document, ref.number)) missing.add(ref.number);
    else next.push(ref);
  };
  for (const page of pages) visit(page, look, follow);
  for (const key of shownOfCatalog) visit(document.catalog.find(key) ?? null, look, follow);
  visit(document.catalog, look, look);
  visit(document.trailer, look, look);
  let left = maxObjects;
  while (next.length > 0) {
    // those of one object stream after each other: only some streams are kept
    const level = next.map((ref) => ({ ref, home: findHome(document, ref.number) })).sort((a, b) => a.home - b.home);
    next = [];
    for (const { ref } of level) {
      if (left-- === 0) return { ambiguous: undefined, missing };
      if (visit(read(document, ref), look, follow)) return { ambiguous: ref.number, missing };
    }
  }
  return { ambiguous: undefined, missing };
}

type Visitor = (ref: PdfRef) => void;

/** @returns whether a dictionary in it has a key twice */
function visit(value: PdfObject, look: Visitor, follow: Visitor): boolean {
  if (value instanceof PdfRef) {
    follow(value);
    return false;
  }
  const dict = value instanceof PdfStream ? value.dict : value;
  let isAmbiguous = false;
  if (dict instanceof PdfDict) {
    isAmbiguous = dict.duplicates.length > 0;
    for (const [key, entry] of dict.entries()) {
      if (typeof entry === 'object' && visit(entry, look, elsewhere.has(key) ? look : follow)) isAmbiguous = true;
    }
  } else if (isPdfArray(value)) {
    for (const entry of value) {
      if (typeof entry === 'object' && visit(entry, look, follow)) isAmbiguous = true;
    }
  }
  return isAmbiguous;
}

/** Other pages are shown for themselves; what can't be read is an error to every reader. */
function read(document: PdfDocument, ref: PdfRef): PdfObject {
  try {
    const value = document.get(ref);
    const type = value instanceof PdfDict ? value.find('Type') : undefined;
    return isName(type, 'Page') || isName(type, 'Pages') ? null : value;
  } catch (error) {
    if (!isSigillumError(error) || error.code === 'pdf_limit_exceeded') throw error;
    return null;
  }
}

export function isMissing(document: PdfDocument, number: number): boolean {
  const entry = document.findEntry(number);
  return entry === undefined || entry.type === 'free' || (entry.type === 'plain' && entry.offset === 0);
}

function findHome(document: PdfDocument, number: number): number {
  const entry = document.findEntry(number);
  return entry?.type === 'compressed' ? entry.container : 0;
}
