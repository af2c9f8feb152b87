import type { PdfPlaceholder } from './pdf-placeholder.ts';

/** A name (ISO 32000-2 §7.3.5): its bytes after `#xx` decoding, one character each. */
export class PdfName {
  readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
}

/** A number that isn't a safe integer, with its spelling kept so that rewriting doesn't change it. */
export class PdfReal {
  /** NaN for a spelling that is none (`--1`): it may stand there, but nobody may calculate with it. */
  readonly value: number;
  readonly text: string;
  constructor(text: string) {
    this.value = /[eE]/.test(text) ? Number.NaN : Number(text);
    this.text = text;
  }
}

/** A string (§7.3.4): bytes, and which of the two spellings it had. */
export class PdfString {
  readonly bytes: Uint8Array;
  readonly hex: boolean;
  constructor(bytes: Uint8Array, hex = false) {
    this.bytes = bytes;
    this.hex = hex;
  }
}

/** A reference to an indirect object (§7.3.10). */
export class PdfRef {
  readonly number: number;
  readonly generation: number;
  constructor(number: number, generation = 0) {
    this.number = number;
    this.generation = generation;
  }
  /** As it stands in a file, also used as a key. */
  toString(): string {
    return `${this.number} ${this.generation} R`;
  }
}

/** A dictionary (ISO 32000-2 §7.3.7): keys without the slash, in file order. A null value is the same as none. */
export class PdfDict {
  readonly #entries: Map<string, PdfObject>;
  /** Keys that stood there more than once; the first value is kept, and nobody may interpret it. */
  readonly duplicates: readonly string[];

  /** @param entries a Map is taken over, not copied */
  constructor(entries: Iterable<readonly [string, PdfObject]> = [], duplicates: readonly string[] = []) {
    this.#entries = entries instanceof Map ? entries : new Map(entries);
    this.duplicates = duplicates;
  }

  /** The value as it stands there (perhaps a reference), or undefined when absent or null. */
  find(key: string): PdfObject | undefined {
    return this.#entries.get(key) ?? undefined;
  }

  has(key: string): boolean {
    return this.find(key) !== undefined;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<[string, PdfObject]> {
    return this.#entries.entries();
  }

  /** A copy with some values replaced or added; undefined removes a key. */
  with(changes: Readonly<Record<string, PdfObject | undefined>>): PdfDict {
    const entries = new Map(this.#entries);
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) entries.delete(key);
      else entries.set(key, value);
    }
    return new PdfDict(entries, this.duplicates);
  }
}

/** A stream (§7.3.8) as parsed: the dictionary and where its data begin. `PdfDocument.readStream` reads them. */
export class PdfStream {
  readonly dict: PdfDict;
  /** Offset of the first data byte, in the source. */
  readonly dataOffset: number;
  /** The object that it is: a stream is always one of its own, and where it is encrypted the number is part of the key. */
  readonly ref: PdfRef;
  constructor(dict: PdfDict, dataOffset: number, ref: PdfRef) {
    this.dict = dict;
    this.dataOffset = dataOffset;
    this.ref = ref;
  }
}

/** A stream to be written: its data as they shall stand in the file. The encoder sets `/Length`. */
export class PdfNewStream {
  readonly dict: PdfDict;
  readonly data: Uint8Array;
  constructor(dict: PdfDict, data: Uint8Array) {
    this.dict = dict;
    this.data = data;
  }
}

export type PdfArray = readonly PdfObject[];

/** Any value of PDF. Safe integers are numbers; every other number is a {@link PdfReal}. */
export type PdfObject =
  | null
  | boolean
  | number
  | PdfReal
  | PdfName
  | PdfString
  | PdfRef
  | PdfArray
  | PdfDict
  | PdfStream
  | PdfNewStream
  | PdfPlaceholder;

/** Whether a value is an array; `Array.isArray` does not narrow readonly arrays. */
export function isPdfArray(value: PdfObject | undefined): value is PdfArray {
  return Array.isArray(value);
}
