import { anchorLimits as limits } from './anchor-limits.ts';

/** A name among operands; other dictionaries than those of inline images are skipped and stand as null. */
export type ContentName = { readonly name: string };
export type Operand = number | Uint8Array | ContentName | readonly Operand[] | null;
export type Operation = { readonly operator: string; readonly operands: readonly Operand[] };

const isSpace = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0x0c || byte === 0;
const isDelimiter = (byte: number): boolean =>
  byte === 0x28 ||
  byte === 0x29 ||
  byte === 0x3c ||
  byte === 0x3e ||
  byte === 0x5b ||
  byte === 0x5d ||
  byte === 0x2f ||
  byte === 0x25 ||
  byte === 0x7b ||
  byte === 0x7d;

/**
 * Operators and operands of a content stream or a CMap (ISO 32000-2 §7.8.2). Unlike the reader of the file it is lenient, as
 * viewers are: whatever it makes of damaged content only decides where a seal is put. Linear, without recursion.
 */
export class ContentLexer {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next operator with what stands before it; undefined at the end. */
  next(): Operation | undefined {
    const operands: Operand[] = [];
    let array: Operand[] | undefined;
    let depth = 0;
    const push = (value: Operand): void => {
      const to = array ?? operands;
      if (to.length < limits.operands) to.push(value);
    };
    for (;;) {
      this.#skip();
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return undefined;
      if (byte === 0x5b) {
        this.#at++;
        depth++;
        array ??= [];
      } else if (byte === 0x5d) {
        this.#at++;
        if (depth > 0 && --depth === 0 && array) {
          const done = array;
          array = undefined;
          push(done);
        }
      } else if (byte === 0x28) push(this.#literal());
      else if (byte === 0x2f) push({ name: this.#name() });
      else if (byte === 0x3c && this.#bytes[this.#at + 1] === 0x3c) {
        this.#skipDictionary();
        push(null);
      } else if (byte === 0x3c) push(this.#hex());
      else if (isDelimiter(byte)) this.#at++;
      else {
        const word = this.#word();
        const number = toNumber(word);
        if (number !== undefined) push(number);
        else if (word === 'true' || word === 'false' || word === 'null') push(null);
        else if (word === 'BI') {
          this.#skipInlineImage();
          return { operator: 'BI', operands: [] };
        } else return { operator: word, operands: array && operands.length === 0 ? [array] : operands };
      }
    }
  }

  #skip(): void {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return;
      if (byte === 0x25) {
        while (this.#at < this.#bytes.length && this.#bytes[this.#at] !== 0x0a && this.#bytes[this.#at] !== 0x0d)
          this.#at++;
      } else if (isSpace(byte)) this.#at++;
      else return;
    }
  }

  #word(): string {
    const start = this.#at;
    for (let byte = this.#bytes[this.#at]; byte !== undefined && !isSpace(byte) && !isDelimiter(byte); ) {
      byte = this.#bytes[++this.#at];
    }
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, this.#at - start).toString('latin1');
  }

  #name(): string {
    this.#at++;
    return this.#word().replaceAll(/#([0-9a-fA-F]{2})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
  }

  #hex(): Uint8Array {
    const start = ++this.#at;
    const end = this.#bytes.indexOf(0x3e, start);
    this.#at = end < 0 ? this.#bytes.length : end + 1;
    const length = (end < 0 ? this.#bytes.length : end) - start;
    const text = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length).toString('latin1');
    const digits = text.replaceAll(/[^0-9a-fA-F]/g, '');
    return new Uint8Array(Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, 'hex'));
  }

  #literal(): Uint8Array {
    const bytes: number[] = [];
    let depth = 1;
    for (this.#at++; ; ) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      if (byte === 0x28) depth++;
      else if (byte === 0x29 && --depth === 0) break;
      if (byte !== 0x5c) {
        bytes.push(byte);
        continue;
      }
      const escaped = this.#escape();
      if (escaped !== undefined) bytes.push(escaped);
    }
    return Uint8Array.from(bytes);
  }

  #escape(): number | undefined {
    const byte = this.#bytes[this.#at++] ?? 0;
    if (byte === 0x0d) {
      if (this.#bytes[this.#at] === 0x0a) this.#at++;
      return undefined;
    }
    if (byte === 0x0a) return undefined;
    if (byte < 0x30 || byte > 0x37) {
      const control = 'nrtbf'.indexOf(String.fromCharCode(byte));
      return control < 0 ? byte : [0x0a, 0x0d, 0x09, 0x08, 0x0c][control];
    }
    let value = byte - 0x30;
    for (let digits = 1; digits < 3; digits++) {
      const digit = this.#bytes[this.#at] ?? 0;
      if (digit < 0x30 || digit > 0x37) break;
      value = value * 8 + digit - 0x30;
      this.#at++;
    }
    return value & 0xff;
  }

  /** Up to the `>>` that closes it. */
  #skipDictionary(): void {
    let depth = 0;
    for (;;) {
      this.#skip();
      const byte = this.#bytes[this.#at];
      const next = this.#bytes[this.#at + 1];
      if (byte === undefined) return;
      if (byte === 0x3c && next === 0x3c) {
        depth++;
        this.#at += 2;
      } else if (byte === 0x3e && next === 0x3e) {
        this.#at += 2;
        if (--depth === 0) return;
      } else if (byte === 0x28) this.#literal();
      else if (byte === 0x3c) this.#hex();
      else this.#at++;
    }
  }

  /** §8.9.7: from BI to an EI that stands between white space. */
  #skipInlineImage(): void {
    const bytes = this.#bytes;
    for (let at = bytes.indexOf(0x45, this.#at); at >= 0; at = bytes.indexOf(0x45, at + 1)) {
      const after = bytes[at + 2];
      if (bytes[at + 1] !== 0x49 || !isSpace(bytes[at - 1] ?? 0)) continue;
      if (after !== undefined && !isSpace(after)) continue;
      this.#at = at + 2;
      return;
    }
    this.#at = bytes.length;
  }
}

/** Numbers as viewers take them; undefined for a word. */
function toNumber(word: string): number | undefined {
  const first = word.charCodeAt(0);
  if (!((first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e)) return undefined;
  const number = Number(word);
  if (!Number.isNaN(number)) return number;
  const parsed = Number.parseFloat(word);
  return Number.isNaN(parsed) ? 0 : parsed;
}
