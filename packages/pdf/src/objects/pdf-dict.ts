import type { PdfObject } from './pdf-object.ts';

/** A dictionary (ISO 32000-2 §7.3.7): keys without the slash, in file order. A null value is the same as none. */
export class PdfDict {
  readonly #entries: Map<string, PdfObject>;
  /** Keys that stood there more than once; the first value is kept, and nobody may interpret it. */
  readonly duplicates: readonly string[];

  constructor(entries: Iterable<readonly [string, PdfObject]> = [], duplicates: readonly string[] = []) {
    this.#entries = new Map(entries);
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
