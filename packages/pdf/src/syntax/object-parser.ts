import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { type PdfArray, PdfDict, PdfName, type PdfObject, PdfReal, PdfRef, PdfString } from '../objects/pdf-object.ts';
import { equalObjects } from '../inspect/equal-objects.ts';
import { type ByteView, Lexer, type TokenKind } from './lexer.ts';

/**
 * How a viewer's window opens (ISO 32000-2 table 29), no content: TCPDF and XeTeX write them twice when there are bookmarks,
 * and every reader takes the last.
 */
const lastWins: ReadonlySet<string> = new Set(['PageMode', 'PageLayout']);

/** Parses values (ISO 32000-2 §7.3) from an offset on. One parser per indirect object: its bounds are per object. */
export class ObjectParser {
  readonly lexer: Lexer;
  #values = 0;

  constructor(view: ByteView, position: number) {
    this.lexer = new Lexer(view, position);
  }

  /** Values parsed so far. */
  get values(): number {
    return this.#values;
  }

  /** The next value; throws `pdf_object_malformed` or `pdf_limit_exceeded`. */
  parse(): PdfObject {
    return this.#value(this.lexer.next(), 0);
  }

  #value(kind: TokenKind, depth: number): PdfObject {
    if (++this.#values > limits.objectValues) {
      throw new SigillumError(
        'pdf_limit_exceeded',
        `An object of the PDF holds more than ${limits.objectValues} values.`,
      );
    }
    const { lexer } = this;
    switch (kind) {
      case 'integer':
        return this.#numberOrReference();
      case 'real':
        return new PdfReal(lexer.text);
      case 'name':
        return new PdfName(lexer.text);
      case 'string':
        return new PdfString(lexer.bytes);
      case 'hex-string':
        return new PdfString(lexer.bytes, true);
      case 'array-open':
        return this.#array(this.#deeper(depth));
      case 'dict-open':
        return this.#dict(this.#deeper(depth));
      case 'keyword':
        return this.#keyword();
      case 'end':
        throw lexer.cutOff('its end in the middle of an object');
      default:
        throw lexer.malformed('a closing bracket without an opening one');
    }
  }

  #deeper(depth: number): number {
    if (depth < limits.nesting) return depth + 1;
    throw new SigillumError(
      'pdf_limit_exceeded',
      `The PDF nests arrays and dictionaries more than ${limits.nesting} deep at byte ${this.lexer.start}.`,
    );
  }

  #keyword(): PdfObject {
    switch (this.lexer.text) {
      case 'true':
        return true;
      case 'false':
        return false;
      case 'null':
        return null;
      default:
        throw this.lexer.malformed('an unknown word');
    }
  }

  /** `12`, or `12 0 R` when that follows. */
  #numberOrReference(): number | PdfRef {
    const { lexer } = this;
    const value = Number(lexer.text) + 0; // + 0: no negative zero
    if (value < 0 || lexer.text.startsWith('+')) return value;
    const after = lexer.position;
    if (lexer.next() === 'integer') {
      const generation = Number(lexer.text);
      if (generation >= 0 && generation <= 65_535 && lexer.next() === 'keyword' && lexer.text === 'R') {
        return new PdfRef(value, generation);
      }
    }
    lexer.position = after;
    return value;
  }

  #array(depth: number): PdfArray {
    const values: PdfObject[] = [];
    for (;;) {
      const kind = this.lexer.next();
      if (kind === 'array-close') return values;
      values.push(this.#value(kind, depth));
    }
  }

  #dict(depth: number): PdfDict {
    const entries = new Map<string, PdfObject>();
    const duplicates: string[] = [];
    for (;;) {
      const kind = this.lexer.next();
      if (kind === 'dict-close') return new PdfDict(entries, duplicates);
      if (kind === 'end') throw this.lexer.cutOff('its end in the middle of an object');
      if (kind !== 'name') throw this.lexer.malformed('a dictionary key that is not a name');
      const key = this.lexer.text;
      const value = this.#value(this.lexer.next(), depth);
      if (!entries.has(key) || lastWins.has(key)) entries.set(key, value);
      else if (!equalObjects(entries.get(key) ?? null, value, () => false)) duplicates.push(key);
    }
  }
}
