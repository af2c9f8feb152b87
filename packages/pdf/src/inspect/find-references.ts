import { SigillumError } from '@sigillum/errors';
import type { PdfDocument } from '../document/pdf-document.ts';
import { generations, type KnownReferences, listReferences } from './known-references.ts';
import { isPdfArray, PdfDict, type PdfObject, PdfRef, PdfStream } from '../objects/pdf-object.ts';

export type References = {
  /**
   * For each number asked about, the places that refer to it: the number of the object they are in (0 for the trailer) and
   * the keys on the way, e.g. `12/Resources/Font/F1`; an element of an array is `[]`.
   */
  readonly places: ReadonlyMap<number, ReadonlySet<string>>;
  /** What is referred to and could not be read: what it refers to isn't known. */
  readonly unreadable: readonly UnreadableObject[];
};

/** A reference to an object that can't be read, and why; without an error its data reach past the end of the file. */
export type UnreadableObject = { readonly ref: PdfRef; readonly error: SigillumError | undefined };

/** Places kept for one object: a page of a tagged document has thousands; more than a rule names is too many anyway. */
const maxPlaces = 64;
const manyPlaces = '…';

/**
 * Everything from the trailer on, each object once, and who in it refers to the numbers given.
 *
 * @param known of an earlier call about another revision of the same file: saves reading what can't have changed
 */
export function findReferences(
  document: PdfDocument,
  targets: ReadonlySet<number>,
  known?: KnownReferences,
): References {
  const places = new Map<number, Set<string>>();
  const unreadable: UnreadableObject[] = [];
  const seen = new Set<number>();
  const waiting: PdfRef[] = [];
  known?.begin(document);
  /** @returns whether one of those asked about is among them */
  const follow = (references: readonly number[]): boolean => {
    let isAsked = false;
    for (const reference of references) {
      const number = Math.floor(reference / generations);
      if (targets.has(number)) isAsked = true;
      if (seen.has(number)) continue;
      seen.add(number);
      waiting.push(new PdfRef(number, reference % generations));
    }
    return isAsked;
  };
  if (follow(listReferences(document.trailer))) addPlaces(places, targets, document.trailer, 0);
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    const remembered = known?.find(document, ref);
    // who refers to one of those asked about is read again, to see where
    if (remembered !== undefined && !follow(remembered)) continue;
    let value: PdfObject;
    try {
      value = document.get(ref);
    } catch (error) {
      if (!(error instanceof SigillumError) || error.code === 'pdf_limit_exceeded') throw error;
      unreadable.push({ ref, error });
      continue;
    }
    if (remembered === undefined) {
      const references = listReferences(value);
      // one that reaches past the end is told again for each revision in which it does
      if (value instanceof PdfStream && !endsInside(document, value)) unreadable.push({ ref, error: undefined });
      else known?.remember(document, ref, value, references);
      if (!follow(references)) continue;
    }
    addPlaces(places, targets, value, ref.number);
  }
  known?.end(document);
  return { places, unreadable };
}

/** Where in an object the numbers given are referred to. */
function addPlaces(
  places: Map<number, Set<string>>,
  targets: ReadonlySet<number>,
  object: PdfObject,
  number: number,
): void {
  // the parser bounds the nesting of one object, so also this recursion
  const visit = (value: PdfObject, place: Place): void => {
    if (value instanceof PdfRef) {
      if (targets.has(value.number)) addPlace(places, value.number, formatPlace(place));
    } else if (value instanceof PdfDict) {
      for (const [key, entry] of value.entries()) visit(entry, { parent: place, key });
    } else if (value instanceof PdfStream) visit(value.dict, place);
    else if (isPdfArray(value)) {
      const element = { parent: place, key: '[]' };
      for (const entry of value) visit(entry, element);
    }
  };
  visit(object, { parent: undefined, key: String(number) });
}

/**
 * Whether a stream's data are all there: what is appended later must not become part of them. A length that can't be read is
 * told as an object of its own.
 */
function endsInside(document: PdfDocument, stream: PdfStream): boolean {
  try {
    const length = document.find(stream.dict, 'Length');
    return typeof length !== 'number' || stream.dataOffset + length <= document.source.size;
  } catch (error) {
    if (error instanceof SigillumError && error.code !== 'pdf_limit_exceeded') return true;
    throw error;
  }
}

/**
 * Whether an object that couldn't be read stays so with more bytes behind the file: the same is wrong with it, and what is
 * wrong stands where it stood. An object that isn't where the table says doesn't: readers look for it in the whole file.
 */
export function staysUnreadable(longer: PdfDocument, { ref, error }: UnreadableObject): boolean {
  if (error === undefined) return false;
  const entry = longer.findEntry(ref.number);
  if (entry?.type === 'plain') {
    const isCutOff = error.cause instanceof RangeError;
    if (isCutOff || (error.code === 'pdf_object_misplaced' && entry.generation === ref.generation)) return false;
  }
  try {
    longer.get(ref);
    return false;
  } catch (again) {
    if (!(again instanceof SigillumError) || again.code === 'pdf_limit_exceeded') throw again;
    return again.message === error.message;
  }
}

type Place = { readonly parent: Place | undefined; readonly key: string };

function formatPlace(place: Place): string {
  const keys: string[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) keys.push(at.key);
  return keys.toReversed().join('/');
}

function addPlace(places: Map<number, Set<string>>, number: number, place: string): void {
  const known = places.get(number) ?? new Set();
  known.add(known.size < maxPlaces ? place : manyPlaces);
  places.set(number, known);
}
