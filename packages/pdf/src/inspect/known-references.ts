import type { PdfDocument } from '../document/pdf-document.ts';
import type { SecurityHandler } from '../encryption/security-handler.ts';
import { limits } from '../limits.ts';
import { isPdfArray, PdfDict, type PdfObject, PdfRef, PdfStream } from '../objects/pdf-object.ts';
import type { XrefEntry } from '../xref/xref-section.ts';

/** A reference is kept as one number: number × this + generation. */
export const generations = 65_536;

/** What is kept at most, in eight bytes: 32 MB. What is beyond it is read again. */
const maxKept = 4_000_000;
/** What an object takes besides its references. */
const keptForObject = 16;

type Remembered = {
  readonly entry: XrefEntry;
  /** Of the object stream that it is in. */
  readonly home: XrefEntry | undefined;
  readonly references: readonly number[];
};
/** Objects of one view, taken over when its reading never went past its end. */
type Reading = { readonly size: number; readonly objects: Map<number, Remembered> };

/**
 * What each object of a file refers to, from one revision to the next: revisions of large files differ in a handful of
 * objects, and reading all of them again for each update would cost more than everything else.
 *
 * An object says the same in a later revision when its entry is the same, it was read without a look behind the end of the
 * bytes, which may be fewer than those of the later revision but not more, and nothing else decides how it is read: neither
 * a length that is an object of its own, nor such things of the object stream that holds it.
 */
export class KnownReferences {
  readonly #readings: Reading[] = [];
  /** Whether the object streams of the current view can be read by their own dictionaries alone. */
  readonly #areSteady = new Map<number, boolean>();
  #security: SecurityHandler | undefined;
  #current: Reading = { size: 0, objects: new Map() };
  #kept = 0;

  /** Before a view of the file is read. */
  begin({ source, security }: PdfDocument): void {
    if (security !== this.#security) this.#readings.length = 0;
    this.#security = security;
    this.#areSteady.clear();
    this.#current = { size: source.size, objects: new Map() };
  }

  /** After it was read to its end. */
  end(document: PdfDocument): void {
    if (!document.lookedBehind && this.#current.objects.size > 0) this.#readings.push(this.#current);
  }

  /** What an object refers to, in the order in which it does; undefined when it has to be read. */
  find(document: PdfDocument, { number, generation }: PdfRef): readonly number[] | undefined {
    if (this.#readings.length === 0) return undefined;
    const entry = document.findEntry(number);
    if (entry === undefined || (entry.type === 'plain' ? entry.generation : 0) !== generation) return undefined;
    for (const { size, objects } of this.#readings) {
      const known = size <= document.source.size ? objects.get(number) : undefined;
      if (known !== undefined && isSame(known.entry, entry) && isSame(known.home, findHome(document, entry))) {
        return known.references;
      }
    }
    return undefined;
  }

  /** Keeps what an object that was read refers to, if that can't be another later. */
  remember(document: PdfDocument, { number }: PdfRef, value: PdfObject, references: readonly number[]): void {
    const entry = document.findEntry(number);
    const takes = references.length + keptForObject;
    if (entry === undefined || this.#kept + takes > maxKept) return;
    if (value instanceof PdfStream && typeof value.dict.find('Length') !== 'number') return;
    const home = findHome(document, entry);
    if (entry.type === 'compressed' && !this.#isSteady(document, entry.container, home)) return;
    this.#kept += takes;
    this.#current.objects.set(number, { entry, home, references });
  }

  #isSteady(document: PdfDocument, container: number, home: XrefEntry | undefined): boolean {
    const known = this.#areSteady.get(container);
    if (known !== undefined) return known;
    const stream = home?.type === 'plain' ? document.get(new PdfRef(container, home.generation)) : null;
    const isSteady =
      stream instanceof PdfStream &&
      [...stream.dict.entries()].every(([key, part]) => key === 'Extends' || listReferences(part).length === 0);
    this.#areSteady.set(container, isSteady);
    return isSteady;
  }
}

function findHome(document: PdfDocument, entry: XrefEntry): XrefEntry | undefined {
  return entry.type === 'compressed' ? document.findEntry(entry.container) : undefined;
}

function isSame(left: XrefEntry | undefined, right: XrefEntry | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (left.type === 'compressed') {
    return right.type === 'compressed' && left.container === right.container && left.index === right.index;
  }
  return right.type === left.type && left.offset === right.offset && left.generation === right.generation;
}

/**
 * Every reference in a value, in order, but those to numbers that no object can have. The parser bounds the nesting of one
 * object, so also this recursion.
 */
export function listReferences(value: PdfObject, found: number[] = []): readonly number[] {
  if (value instanceof PdfRef) {
    if (value.number <= limits.objectNumber) found.push(value.number * generations + value.generation);
  } else if (value instanceof PdfDict) for (const [, entry] of value.entries()) listReferences(entry, found);
  else if (value instanceof PdfStream) listReferences(value.dict, found);
  else if (isPdfArray(value)) for (const entry of value) listReferences(entry, found);
  return found;
}
