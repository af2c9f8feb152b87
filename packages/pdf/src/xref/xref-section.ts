import { SigillumError } from '@sigillum/errors';
import type { PdfDict } from '../objects/pdf-object.ts';

/** Where an object is, as one cross-reference section says. Offsets are those of the table, before any header offset. */
export type XrefEntry =
  | { readonly type: 'free'; readonly offset: number; readonly generation: number }
  | { readonly type: 'plain'; readonly offset: number; readonly generation: number }
  | { readonly type: 'compressed'; readonly container: number; readonly index: number };

/** Entries for the numbers first, first + 1, …; they are decoded when asked for. */
export type XrefSubsection = {
  readonly first: number;
  readonly count: number;
  entry(index: number): XrefEntry;
};

type XrefSectionParts = {
  readonly kind: 'table' | 'stream';
  readonly offset: number;
  readonly trailer: PdfDict;
  readonly subsections: readonly XrefSubsection[];
  readonly hidden?: XrefSection;
  readonly decodedLength?: number;
  readonly endOffset?: number;
};

/** One cross-reference section: what one revision says about its objects (ISO 32000-2 §7.5.4, §7.5.8). */
export class XrefSection {
  readonly kind: 'table' | 'stream';
  /** Offset at which it begins, in the source. */
  readonly offset: number;
  readonly trailer: PdfDict;
  /** The xref stream that a hybrid file hides from old readers (§7.5.8.4). */
  readonly hidden: XrefSection | undefined;
  /** Bytes that its streams decoded to: what a bound on all sections counts. */
  readonly decodedLength: number;
  /** Offset behind the trailer of a table; of a stream, where it begins. */
  readonly endOffset: number;
  readonly #subsections: readonly XrefSubsection[];

  constructor({ kind, offset, trailer, subsections, hidden, decodedLength = 0, endOffset = offset }: XrefSectionParts) {
    this.kind = kind;
    this.offset = offset;
    this.trailer = trailer;
    this.hidden = hidden;
    this.endOffset = endOffset;
    this.decodedLength = decodedLength + (hidden?.decodedLength ?? 0);
    this.#subsections = subsections.filter(({ count }) => count > 0).sort((a, b) => a.first - b.first);
    let next = 0;
    for (const { first, count } of this.#subsections) {
      if (first < next) {
        throw new SigillumError(
          'pdf_xref_damaged',
          `The cross-reference section at byte ${offset} lists an object twice.`,
        );
      }
      next = first + count;
    }
  }

  /** This table together with the stream of a hybrid file. */
  withHidden(hidden: XrefSection): XrefSection {
    const { kind, offset, trailer, endOffset } = this;
    return new XrefSection({ kind, offset, trailer, subsections: this.#subsections, hidden, endOffset });
  }

  /** One more than the highest object number listed. */
  get end(): number {
    const last = this.#subsections.at(-1);
    return Math.max(last === undefined ? 0 : last.first + last.count, this.hidden?.end ?? 0);
  }

  get entryCount(): number {
    return this.#subsections.reduce((sum, { count }) => sum + count, this.hidden?.entryCount ?? 0);
  }

  /** Every object number that this section, or the stream it hides, says something about; some perhaps twice. */
  *numbers(): IterableIterator<number> {
    for (const { first, count } of this.#subsections) {
      for (let number = first; number < first + count; number++) yield number;
    }
    if (this.hidden !== undefined) yield* this.hidden.numbers();
  }

  /** What this section says about an object number; undefined when nothing. */
  find(number: number): XrefEntry | undefined {
    const own = this.findOwn(number);
    // §7.5.8.4: what the table leaves free may be in the stream
    if (this.hidden !== undefined && own?.type !== 'plain') return this.hidden.find(number) ?? own;
    return own;
  }

  /** What this section itself says, not the stream that it hides: all that readers know who know no such streams. */
  findOwn(number: number): XrefEntry | undefined {
    let low = 0;
    let high = this.#subsections.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const subsection = this.#subsections[middle];
      if (subsection === undefined) return undefined;
      if (number < subsection.first) high = middle - 1;
      else if (number >= subsection.first + subsection.count) low = middle + 1;
      else return subsection.entry(number - subsection.first);
    }
    return undefined;
  }
}
