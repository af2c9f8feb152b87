import { isSigillumError } from '@sigillum/errors';
import { isName, isPdfArray, PdfDict, type PdfDocument, type PdfObject, PdfRef, PdfStream } from '@sigillum/pdf';

/** Keys that lead to other pages, to what nothing draws, or into data of single programs: looked at, but not followed. */
const elsewhere = new Set(
  'Parent P A AA Dest B Data Pg Next Prev PieceInfo Metadata AF FS EF Thumb StructTreeRoot'.split(' '),
);
/** Keys of dictionaries in which each key is a name that the author chose: resources, glyphs, states of an appearance. */
const named = new Set(
  'Font XObject ExtGState ColorSpace Pattern Shading Properties CharProcs Colorants N R D'.split(' '),
);
/** What of the catalog decides what pages show. */
const shownOfCatalog = ['AcroForm', 'OCProperties'];

export type ShownObjects = {
  /** The number of an object with a key twice, in itself or in a value of its own. */
  readonly ambiguous: number | undefined;
  /**
   * Numbers that are referred to and have no object: free, at offset 0, or not listed; and the generation that is asked for.
   * They mean null (ISO 32000-2 §7.3.10).
   */
  readonly missing: ReadonlyMap<number, number>;
  /** The number of an object that isn't in the object stream, or of the generation, by which it is asked for: some readers find it. */
  readonly lost: number | undefined;
};

/**
 * Looks at what readers need to show some pages: resources down to fonts, images and forms, annotations with their
 * appearances, the form and the layers; and at what the catalog refers to. What it costs is bounded by what reading a document may.
 *
 * @throws SigillumError `pdf_limit_exceeded`
 */
export function walkShownObjects(document: PdfDocument, pages: readonly PdfDict[]): ShownObjects {
  const seen = new Set<number>();
  const missing = new Map<number, number>();
  let lost: number | undefined;
  let next: Waiting[] = [];
  const look = ({ number, generation }: PdfRef): void => {
    if (isMissing(document, number)) missing.set(number, generation);
  };
  const follow = (ref: PdfRef, isNamed: boolean): void => {
    const what = ref.number * 2 + (isNamed ? 1 : 0);
    if (seen.has(what)) return;
    seen.add(what);
    if (isMissing(document, ref.number)) missing.set(ref.number, ref.generation);
    else next.push({ ref, isNamed });
  };
  for (const page of pages) visit(page, false, look, follow);
  for (const key of shownOfCatalog) visit(document.catalog.find(key) ?? null, false, look, follow);
  visit(document.catalog, false, look, look);
  visit(document.trailer, false, look, look);
  while (next.length > 0) {
    // those of one object stream after each other: only some streams are kept
    const level = next
      .map((waiting) => ({ ...waiting, home: findHome(document, waiting.ref.number) }))
      .sort((a, b) => a.home - b.home);
    next = [];
    for (const { ref, isNamed } of level) {
      const value = read(document, ref);
      if (value === undefined) lost ??= ref.number;
      else if (visit(value, isNamed, look, follow)) return { ambiguous: ref.number, missing, lost };
    }
  }
  return { ambiguous: undefined, missing, lost };
}

type Waiting = { readonly ref: PdfRef; readonly isNamed: boolean };
type Visitor = (ref: PdfRef, isNamed: boolean) => void;

/**
 * @param isNamed whether its own keys are names that the author chose, so that none of them leads elsewhere
 * @returns whether a dictionary in it has a key twice
 */
function visit(value: PdfObject, isNamed: boolean, look: Visitor, follow: Visitor): boolean {
  if (value instanceof PdfRef) {
    follow(value, isNamed);
    return false;
  }
  const dict = value instanceof PdfStream ? value.dict : value;
  let isAmbiguous = false;
  if (dict instanceof PdfDict) {
    isAmbiguous = dict.duplicates.length > 0;
    for (const [key, entry] of dict.entries()) {
      const next = !isNamed && elsewhere.has(key) ? look : follow;
      if (typeof entry === 'object' && visit(entry, !isNamed && named.has(key), look, next)) isAmbiguous = true;
    }
  } else if (isPdfArray(value)) {
    for (const entry of value) {
      if (typeof entry === 'object' && visit(entry, false, look, follow)) isAmbiguous = true;
    }
  }
  return isAmbiguous;
}

/** Other pages are shown for themselves; what breaks the syntax is an error to every reader. Undefined when it isn't there. */
function read(document: PdfDocument, ref: PdfRef): PdfObject | undefined {
  try {
    const value = document.get(ref);
    const type = value instanceof PdfDict ? value.find('Type') : undefined;
    return isName(type, 'Page') || isName(type, 'Pages') ? null : value;
  } catch (error) {
    if (!isSigillumError(error) || error.code === 'pdf_limit_exceeded') throw error;
    return error.code === 'pdf_object_misplaced' ? undefined : null;
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
