import { SigillumError } from '@sigillum/errors';
import type { PdfDocument } from '../document/pdf-document.ts';
import { limits } from '../limits.ts';
import { isPdfArray, type PdfDict, type PdfObject, PdfRef, PdfString } from '../objects/pdf-object.ts';
import type { PdfPlaceholder } from '../objects/pdf-placeholder.ts';
import { ByteSink } from '../source/byte-sink.ts';
import { encodeObject, type PlaceholderPositions } from '../syntax/encode-object.ts';
import { encodeXrefStream, encodeXrefTable, type UpdateEntry } from './encode-xref.ts';

export type EncodedUpdate = {
  /** What follows the input. */
  readonly bytes: Uint8Array;
  /** Where each placeholder begins in {@link bytes}. */
  readonly positions: ReadonlyMap<PdfPlaceholder, number>;
};

/** Entries that describe one section or one cross-reference stream, not the document (ISO 32000-2 tables 15, 17 and 5). */
const sectionKeys = [
  'Prev',
  'XRefStm',
  'Type',
  'Index',
  'W',
  'Length',
  'Filter',
  'DecodeParms',
  'DP',
  'F',
  'FFilter',
  'FDecodeParms',
  'DL',
];

/**
 * New and replaced objects to be appended (ISO 32000-2 §7.5.6). The input is never changed; the cross-reference
 * section is of the newest one's kind, and the same input and random bytes always give the same output.
 *
 * @example
 * const update = new IncrementalUpdate(document, random);
 * update.set(update.allocate(), new PdfDict([['Type', new PdfName('Example')]]));
 * const { bytes } = update.encode();
 */
export class IncrementalUpdate {
  readonly #document: PdfDocument;
  readonly #random: (length: number) => Uint8Array;
  readonly #objects = new Map<number, { readonly ref: PdfRef; readonly value: PdfObject }>();
  #next: number;
  #avoided: ReadonlySet<number> = new Set();

  /**
   * @param random for the changing half of `/ID` (§14.4) and, in encrypted files, for initialization vectors
   * @throws SigillumError `pdf_encryption_unknown` for a file under an authentication code, `pdf_limit_exceeded` for one
   * that couldn't be read any more with another update behind it
   */
  constructor(document: PdfDocument, random: (length: number) => Uint8Array) {
    assertNoAuthenticationCode(document);
    assertRoomForSection(document);
    this.#document = document;
    this.#random = random;
    this.#next = document.nextObjectNumber;
  }

  /** A reference for a new object. */
  allocate(): PdfRef {
    while (this.#avoided.has(this.#next)) this.#next++;
    if (this.#next > limits.objectNumber) {
      throw new SigillumError('pdf_limit_exceeded', 'The PDF has no object numbers left for an update.');
    }
    return new PdfRef(this.#next++);
  }

  /** Gives these to no new object: what refers to them in vain would show it. */
  avoid(refs: readonly PdfRef[]): void {
    this.#avoided = new Set(refs.map(({ number }) => number));
  }

  /** Makes null what is referred to and isn't there, before any object is allocated. Numbers near the highest, and 0, the head of the free ones, are left alone. */
  occupy(ref: PdfRef): void {
    if (ref.number === 0 || ref.number > limits.objectNumber - spareNumbers) return;
    this.#next = Math.max(this.#next, ref.number + 1);
    this.set(ref, null);
  }

  /** The value of a new object, or a new value for an old one, which keeps its number and generation. */
  set(ref: PdfRef, value: PdfObject): void {
    this.#objects.set(ref.number, { ref, value });
  }

  /** The bytes to append. Every allocated reference must have been set. */
  encode(): EncodedUpdate {
    const { source, base, sections, security } = this.#document;
    const resolve = (value: PdfObject): PdfObject => this.#document.resolve(value);
    const sink = new ByteSink();
    const positions: PlaceholderPositions = new Map();
    const last = source.read(source.size - 1, 1)[0];
    if (last !== 0x0a && last !== 0x0d) sink.byte(0x0a);
    const start = source.size - base;
    const entries: UpdateEntry[] = [];
    for (const { ref, value } of [...this.#objects.values()].sort((a, b) => a.ref.number - b.ref.number)) {
      entries.push({ number: ref.number, generation: ref.generation, offset: start + sink.length });
      sink.latin1(`${ref.number} ${ref.generation} obj\n`);
      encodeObject(security?.encryptObject(value, ref, this.#random, resolve) ?? value, sink, positions);
      sink.latin1('\nendobj\n');
    }
    const offset = start + sink.length;
    if (offset > limits.tableOffset) {
      throw new SigillumError('pdf_limit_exceeded', `The PDF has more than ${limits.tableOffset} bytes.`);
    }
    const newest = sections[0];
    const kind = newest?.kind ?? 'table';
    const trailer = this.#makeTrailer((newest?.offset ?? 0) - base);
    if (kind === 'table') encodeXrefTable(sink, entries, trailer.with({ Size: this.#next }));
    else encodeXrefStream(sink, entries, this.allocate(), offset, trailer);
    sink.latin1(`startxref\n${offset}\n%%EOF\n`);
    return { bytes: sink.take(), positions };
  }

  /** §7.5.6: everything of the newest trailer, with `/Prev` and the second half of `/ID` new. */
  #makeTrailer(previous: number): PdfDict {
    const { trailer } = this.#document;
    const kept = trailer.with(Object.fromEntries(sectionKeys.map((key) => [key, undefined])));
    const id = this.#document.find(trailer, 'ID');
    const first = isPdfArray(id) ? this.#document.resolve(id[0] ?? null) : undefined;
    const changing = new PdfString(this.#random(16), true);
    // §7.6.4.3: the first half goes into the key of an encrypted file, and where there is none that is nothing
    const made = trailer.has('Encrypt') ? new PdfString(new Uint8Array(), true) : changing;
    const permanent = first instanceof PdfString ? new PdfString(first.bytes, true) : made;
    return kept.with({ Prev: previous, ID: [permanent, changing] });
  }
}

/** What updates to come may need. */
const spareNumbers = 65_536;

/** Entries of an update at most, as far as {@link limits.xrefEntries} is concerned: one of a field, a page or a store has a dozen. */
const updateEntries = 4096;

/** A file that we read must stay one that we read. */
function assertRoomForSection({ sections }: PdfDocument): void {
  const entries = sections.reduce((sum, { entryCount }) => sum + entryCount, 0);
  if (sections.length < limits.xrefSections && entries + updateEntries <= limits.xrefEntries) return;
  throw new SigillumError(
    'pdf_limit_exceeded',
    'The PDF was updated so often that it takes no more. Save it as a new file, and try again.',
  );
}

/** ISO/TS 32004: a code over the whole file, made with its password's key. Readers that check it would refuse what follows. */
function assertNoAuthenticationCode({ sections }: PdfDocument): void {
  if (!sections.some(({ trailer }) => trailer.has('AuthCode'))) return;
  throw new SigillumError(
    'pdf_encryption_unknown',
    'The PDF is protected by an authentication code, which any addition would break. Remove its protection and try again.',
  );
}
