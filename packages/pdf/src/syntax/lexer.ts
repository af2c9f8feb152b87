import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { ByteSink } from '../source/byte-sink.ts';
import { hexValue, isDigit, isRegular, isWhiteSpace } from './characters.ts';

export type TokenKind =
  | 'end'
  | 'integer'
  | 'real'
  | 'name'
  | 'string'
  | 'hex-string'
  | 'array-open'
  | 'array-close'
  | 'dict-open'
  | 'dict-close'
  | 'keyword';

/** What the lexer reads from: a byte by its offset, −1 after the end. */
export type ByteView = { at(offset: number): number };

const noBytes = new Uint8Array(0);
/** Room for most strings, and small enough for V8 to keep it in its own heap. */
const shortString = 64;
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
/** `--1`, `1.2.3`, `1-2`, `1e-7`: numbers to nobody, though writers exist. Each reader makes something else of them. */
const oddNumberPattern = /^[\d.+-][\d.+-]*(?:[eE][\d.+-]+)?$/;
const escapes = new Map<number, number>([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x66, 0x0c],
]);

/** Splits bytes into tokens (ISO 32000-2 §7.2). Each byte is looked at a bounded number of times. */
export class Lexer {
  readonly #view: ByteView;
  /** Offset of the next byte to look at; may be set back to go over something again. */
  position: number;
  /** Offset of the first byte of the last token. */
  start: number;
  /** Spelling of the last integer, real, name (decoded) or keyword. */
  text = '';
  /** Bytes of the last string. */
  bytes: Uint8Array = noBytes;

  constructor(view: ByteView, position: number) {
    this.#view = view;
    this.position = position;
    this.start = position;
  }

  skipWhiteSpace(): void {
    for (;;) {
      const byte = this.#view.at(this.position);
      if (isWhiteSpace(byte)) this.position++;
      else if (byte === 0x25) this.#skipComment();
      else return;
    }
  }

  /** The next token; its content is in {@link text} or {@link bytes}. */
  next(): TokenKind {
    this.skipWhiteSpace();
    this.start = this.position;
    const byte = this.#view.at(this.position);
    switch (byte) {
      case -1:
        return 'end';
      case 0x2f:
        this.position++;
        return this.#name();
      case 0x28:
        this.position++;
        return this.#literalString();
      case 0x5b:
        this.position++;
        return 'array-open';
      case 0x5d:
        this.position++;
        return 'array-close';
      case 0x3c:
        this.position++;
        if (this.#view.at(this.position) !== 0x3c) return this.#hexString();
        this.position++;
        return 'dict-open';
      case 0x3e:
        if (this.#view.at(this.position + 1) !== 0x3e) throw this.malformed('a lonely ">"');
        this.position += 2;
        return 'dict-close';
      case 0x29:
      case 0x7b:
      case 0x7d:
        throw this.malformed(`"${String.fromCharCode(byte)}" where a value should begin`);
      default:
        return this.#word();
    }
  }

  /** Whether the next token is the given word. */
  nextIs(word: string): boolean {
    return this.next() === 'keyword' && this.text === word;
  }

  /** The next token when it is a number without sign or point, else −1. */
  nextCount(): number {
    return this.next() === 'integer' && /^\d+$/.test(this.text) ? Number(this.text) : -1;
  }

  /** An error that says where the lexer is. */
  malformed(what: string, cause?: unknown): SigillumError {
    return new SigillumError('pdf_object_malformed', `The PDF has ${what} at byte ${this.start}.`, { cause });
  }

  /** The error for something that the end of the bytes cuts off: with more bytes behind them it would go on. */
  cutOff(what: string): SigillumError {
    return this.malformed(what, new RangeError('the bytes end there'));
  }

  #skipComment(): void {
    for (;;) {
      const byte = this.#view.at(++this.position);
      if (byte === 0x0a || byte === 0x0d || byte === -1) return;
    }
  }

  #word(): TokenKind {
    let text = '';
    for (;;) {
      const byte = this.#view.at(this.position);
      if (!isRegular(byte)) break;
      text += String.fromCharCode(byte);
      this.position++;
      if (text.length > limits.tokenLength) throw this.malformed(tooLong('token'));
    }
    this.text = text;
    const first = text.charCodeAt(0);
    if (!isDigit(first) && first !== 0x2b && first !== 0x2d && first !== 0x2e) return 'keyword';
    if (!numberPattern.test(text)) {
      if (oddNumberPattern.test(text)) return 'real';
      throw this.malformed('a malformed number');
    }
    return text.includes('.') || !Number.isSafeInteger(Number(text)) ? 'real' : 'integer';
  }

  #name(): TokenKind {
    let text = '';
    for (;;) {
      let byte = this.#view.at(this.position);
      if (!isRegular(byte)) break;
      this.position++;
      // §7.3.5: #xx; a # that no two digits follow stands for itself, as in PDF 1.1
      if (byte === 0x23) {
        const high = hexValue(this.#view.at(this.position));
        const low = high < 0 ? -1 : hexValue(this.#view.at(this.position + 1));
        if (low >= 0) {
          byte = high * 16 + low;
          this.position += 2;
        }
      }
      text += String.fromCharCode(byte);
      if (text.length > limits.tokenLength) throw this.malformed(tooLong('name'));
    }
    this.text = text;
    return 'name';
  }

  #literalString(): TokenKind {
    const sink = new ByteSink(shortString);
    let depth = 1;
    for (;;) {
      let byte = this.#view.at(this.position++);
      if (byte === -1) throw this.cutOff('a string without an end');
      if (byte === 0x28) depth++;
      else if (byte === 0x29 && --depth === 0) break;
      else if (byte === 0x0d) {
        // §7.3.4.2: an end of line inside a string is one LF
        if (this.#view.at(this.position) === 0x0a) this.position++;
        byte = 0x0a;
      } else if (byte === 0x5c) {
        byte = this.#escape();
        if (byte < 0) continue;
      }
      sink.byte(byte);
      if (sink.length > limits.stringLength) throw this.#tooLong('string', limits.stringLength);
    }
    this.bytes = sink.take();
    return 'string';
  }

  /** The byte that follows a backslash means, or −1 when the line just goes on (§7.3.4.2, table 3). */
  #escape(): number {
    const byte = this.#view.at(this.position++);
    if (byte === 0x0d) {
      if (this.#view.at(this.position) === 0x0a) this.position++;
      return -1;
    }
    if (byte === 0x0a) return -1;
    if (byte === -1) throw this.cutOff('a string without an end');
    if (byte < 0x30 || byte > 0x37) return escapes.get(byte) ?? byte;
    let value = byte - 0x30;
    for (let digits = 1; digits < 3; digits++) {
      const digit = this.#view.at(this.position);
      if (digit < 0x30 || digit > 0x37) break;
      value = value * 8 + digit - 0x30;
      this.position++;
    }
    return value & 0xff;
  }

  #hexString(): TokenKind {
    const sink = new ByteSink(shortString);
    let high = -1;
    for (;;) {
      const byte = this.#view.at(this.position++);
      if (byte === 0x3e) break;
      if (isWhiteSpace(byte)) continue;
      const value = hexValue(byte);
      if (byte === -1) throw this.cutOff('a string without an end');
      if (value < 0) throw this.malformed('a hexadecimal string with something else in it');
      if (high < 0) {
        high = value;
        continue;
      }
      sink.byte(high * 16 + value);
      high = -1;
      if (sink.length > limits.stringLength) throw this.#tooLong('string', limits.stringLength);
    }
    if (high >= 0) sink.byte(high * 16);
    this.bytes = sink.take();
    return 'hex-string';
  }

  #tooLong(what: string, limit: number): SigillumError {
    return new SigillumError(
      'pdf_limit_exceeded',
      `The PDF has a ${what} of more than ${limit} bytes at byte ${this.start}.`,
    );
  }
}

/** A fault of the object and no bound on work: it is there however often, and in whatever revision, the object is read. */
function tooLong(what: string): string {
  return `a ${what} of more than ${limits.tokenLength} bytes`;
}
