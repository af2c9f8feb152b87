import { SigillumError } from '@sigillum/errors';
import type { SecurityHandler } from '../encryption/security-handler.ts';
import { decodeStream } from '../filters/decode-stream.ts';
import { limits } from '../limits.ts';
import { PdfDict, type PdfObject, PdfRef, PdfStream } from '../objects/pdf-object.ts';
import { assertNoDuplicates, wrongType } from '../objects/take.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { ByteWindow } from '../source/byte-window.ts';
import { readStreamData } from '../source/read-stream-data.ts';
import { readIndirectObject } from '../syntax/read-indirect-object.ts';
import type { Header } from '../xref/find-header.ts';
import type { XrefEntry, XrefSection } from '../xref/xref-section.ts';
import { BoundedCache } from './bounded-cache.ts';
import { ObjectStream } from './object-stream.ts';

/** What {@link PdfDocument} is made from; `openPdf` finds it out. */
export type DocumentParts = {
  readonly window: ByteWindow;
  readonly header: Header;
  /** What offsets in the file count from. */
  readonly base: number;
  /** Newest first; never empty. */
  readonly sections: readonly XrefSection[];
  readonly trailer: PdfDict;
  /** What reading may still cost; the views of one file share it. */
  readonly budget?: WorkBudget;
  /** Of an encrypted file. */
  readonly security?: SecurityHandler | undefined;
};

/** Counts down what reading a document costs (see `limits.work` and `limits.values`). */
export type WorkBudget = { bytes: number; values: number };

/** A PDF as its newest cross-reference section shows it. Objects are read when asked for and only where the table says. */
export class PdfDocument {
  readonly source: ByteSource;
  readonly header: Header;
  readonly base: number;
  readonly sections: readonly XrefSection[];
  /** The newest trailer (ISO 32000-2 §7.5.5). */
  readonly trailer: PdfDict;
  /** Undefined when the file isn't encrypted. */
  readonly security: SecurityHandler | undefined;
  readonly #window: ByteWindow;
  readonly #values = new BoundedCache<PdfObject>(limits.cachedObjects);
  readonly #objectStreams = new BoundedCache<ObjectStream>(limits.cachedObjectStreams);
  /** Objects being read: a stream whose length lies in itself would be read for ever. */
  readonly #reading = new Set<number>();
  readonly #budget: WorkBudget;

  constructor(parts: DocumentParts) {
    this.source = parts.window.source;
    this.header = parts.header;
    this.base = parts.base;
    this.sections = parts.sections;
    this.trailer = parts.trailer;
    this.security = parts.security;
    this.#window = parts.window;
    this.#budget = parts.budget ?? { bytes: limits.work, values: limits.values };
  }

  /**
   * The same file as it was when its newest cross-reference section was the one at `index` of {@link sections}. The views
   * of a file share what reading them may cost, which is `revisionWork` times that of a single document.
   *
   * @param source the bytes that there were then, when what follows them must not be read
   */
  viewAt(index: number, budget: WorkBudget, source: ByteSource = this.source): PdfDocument {
    const sections = this.sections.slice(index);
    const trailer = sections[0]?.trailer;
    if (trailer === undefined) throw new RangeError(`no cross-reference section ${index}`);
    const window = source === this.source ? this.#window : new ByteWindow(source);
    const isEncrypted = sections.some((section) => section.trailer.has('Encrypt'));
    const security = isEncrypted ? this.security : undefined;
    return new PdfDocument({ window, header: this.header, base: this.base, sections, trailer, budget, security });
  }

  /** The same file, read with its security handler. */
  decryptedBy(security: SecurityHandler): PdfDocument {
    const { header, base, sections, trailer } = this;
    return new PdfDocument({ window: this.#window, header, base, sections, trailer, budget: this.#budget, security });
  }

  /** Whether reading went past the last byte: only then may what was read be another with more bytes behind it. */
  get lookedBehind(): boolean {
    return this.#window.lookedBehind;
  }

  /** The bytes of a stream as they stand in the file: not decrypted, filters not undone. */
  readRawStream(stream: PdfStream): Uint8Array {
    const length = this.find(stream.dict, 'Length');
    if (typeof length !== 'number' || length < 0) throw wrongType('/Length of a stream', 'a non-negative integer');
    return readStreamData(this.#window, stream.dataOffset, length);
  }

  /** Reference of the catalog, from the trailer. */
  get catalogRef(): PdfRef {
    const root = this.trailer.find('Root');
    if (root instanceof PdfRef) return root;
    throw wrongType('/Root of the trailer', 'a reference to the catalog');
  }

  /** The catalog (§7.7.2), without duplicate keys. */
  get catalog(): PdfDict {
    return this.getDict(this.catalogRef, 'The catalog');
  }

  /** The first object number that is certainly unused: above `/Size` and above every entry. */
  get nextObjectNumber(): number {
    const size = this.trailer.find('Size');
    const known = this.sections.reduce((end, section) => Math.max(end, section.end), 1);
    return typeof size === 'number' && size <= limits.objectNumber + 1 ? Math.max(known, size) : known;
  }

  /** What the newest section that lists an object says about it. */
  findEntry(number: number): XrefEntry | undefined {
    for (const section of this.sections) {
      const entry = section.find(number);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /**
   * The object behind a reference; null when there is none (§7.3.10).
   *
   * @throws SigillumError `pdf_object_misplaced`, `pdf_object_malformed`, `pdf_stream_damaged`, `pdf_reference_loop`, `pdf_limit_exceeded`
   */
  get(ref: PdfRef): PdfObject {
    const { number } = ref;
    const entry = this.findEntry(number);
    if (entry === undefined || entry.type === 'free') return null;
    const generation = entry.type === 'plain' ? entry.generation : 0;
    // null by the letter, but some readers show the object all the same
    if (generation !== ref.generation) {
      throw new SigillumError(
        'pdf_object_misplaced',
        `The PDF refers to ${ref}, but the object's generation is ${generation}.`,
      );
    }
    const cached = this.#values.get(number);
    if (cached !== undefined) return cached;
    if (this.#reading.has(number)) {
      throw new SigillumError('pdf_reference_loop', `Object ${number} of the PDF needs itself to be read.`);
    }
    this.#reading.add(number);
    try {
      const value = entry.type === 'plain' ? this.#readPlain(number, entry) : this.#readCompressed(number, entry);
      this.#values.set(number, value);
      return value;
    } finally {
      this.#reading.delete(number);
    }
  }

  /** The value itself, or what is behind a reference, or behind that one's reference, … */
  resolve(value: PdfObject): PdfObject {
    let current = value;
    for (let hops = 0; current instanceof PdfRef; hops++) {
      if (hops >= limits.referenceHops) {
        throw new SigillumError(
          'pdf_reference_loop',
          `The PDF has more than ${limits.referenceHops} references behind each other.`,
        );
      }
      current = this.get(current);
    }
    return current;
  }

  /** The value of a key with references followed; undefined when absent or null. */
  find(dict: PdfDict, key: string): PdfObject | undefined {
    return this.resolve(dict.find(key) ?? null) ?? undefined;
  }

  /** The dictionary that a value is or refers to, or undefined when there is none; other types and duplicate keys are refused. */
  findDict(value: PdfObject | undefined, what: string): PdfDict | undefined {
    const resolved = this.resolve(value ?? null);
    if (resolved === null) return undefined;
    if (!(resolved instanceof PdfDict)) throw wrongType(what, 'a dictionary');
    assertNoDuplicates(resolved, what);
    return resolved;
  }

  /** Like {@link findDict}, but it must be there. */
  getDict(value: PdfObject | undefined, what: string): PdfDict {
    const dict = this.findDict(value, what);
    if (dict === undefined) throw wrongType(what, 'there');
    return dict;
  }

  /** The decoded content of a stream of the file's own structure (see `decodeStream` for the filters). */
  readStream(stream: PdfStream): Uint8Array {
    const resolve = (value: PdfObject): PdfObject => this.resolve(value);
    const raw = this.readRawStream(stream);
    const data = this.security?.decryptStream(stream.dict, stream.ref, raw, resolve) ?? raw;
    const decoded = decodeStream(stream.dict, data, resolve);
    this.#spend(data.length + decoded.length, 0);
    return decoded;
  }

  #readPlain(number: number, entry: { offset: number; generation: number }): PdfObject {
    const offset = entry.offset + this.base;
    if (offset >= this.source.size) throw misplaced(number, offset);
    const object = readIndirectObject(this.#window, offset, (bytes, values) => this.#spend(bytes, values));
    this.#spend(object.bytes, object.values);
    if (object.number !== number || object.generation !== entry.generation) throw misplaced(number, offset);
    return this.security?.decryptObject(object.value, new PdfRef(number, object.generation)) ?? object.value;
  }

  #readCompressed(number: number, entry: { container: number; index: number }): PdfObject {
    const objectStream = this.openObjectStream(entry.container);
    return objectStream.read(entry.index, number, (bytes, values) => this.#spend(bytes, values));
  }

  /**
   * The object stream of a number.
   *
   * @throws SigillumError as {@link get} does
   */
  openObjectStream(container: number): ObjectStream {
    let objectStream = this.#objectStreams.get(container);
    if (objectStream === undefined) {
      // §7.5.7: an object stream is no part of another one
      const entry = this.findEntry(container);
      const stream = entry?.type === 'plain' ? this.get(new PdfRef(container, entry.generation)) : null;
      if (!(stream instanceof PdfStream)) {
        throw new SigillumError(
          'pdf_object_misplaced',
          `The PDF says that objects are in an object stream ${container} that does not exist.`,
        );
      }
      objectStream = new ObjectStream(stream.dict, this.readStream(stream), (value) => this.resolve(value));
      this.#objectStreams.set(container, objectStream);
    }
    return objectStream;
  }

  #spend(bytes: number, values: number): void {
    this.#budget.bytes -= bytes;
    this.#budget.values -= values;
    if (this.#budget.bytes < 0 || this.#budget.values < 0) {
      throw new SigillumError('pdf_limit_exceeded', 'Reading the PDF takes more work than a document should need.');
    }
  }
}

function misplaced(number: number, offset: number): SigillumError {
  return new SigillumError(
    'pdf_object_misplaced',
    `The PDF says that object ${number} begins at byte ${offset}, but it does not.`,
  );
}
