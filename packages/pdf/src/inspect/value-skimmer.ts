import { limits } from '../limits.ts';
import { growArray, KeyStack } from './key-stack.ts';
import { hexValue, isDelimiter, isWhiteSpace } from '../syntax/characters.ts';

/** What a byte is: part of a token, white space, or a delimiter. */
const [regular, space, delimiter] = [0, 1, 2];
const classes = Uint8Array.from({ length: 256 }, (_, byte) =>
  isWhiteSpace(byte) ? space : isDelimiter(byte) ? delimiter : regular,
);
const fnvOffset = 0x811c9dc5 | 0;
const fnvPrime = 0x01000193;

/** The hash by which keys are compared (FNV-1a). Two keys may share one: whoever is told of a key twice looks again. */
function hashOf(name: string): number {
  return Buffer.from(name, 'latin1').reduce((hash, byte) => Math.imul(hash ^ byte, fnvPrime), fnvOffset);
}
const [kids, length, contents, file] = ['Kids', 'Length', 'Contents', 'F'].map(hashOf);

/**
 * Goes over values as the parser reads them (ISO 32000-2 §7.3) without making them: to what they refer, and whether a
 * dictionary has a key twice. Ten times as fast, and it keeps nothing.
 */
export class ValueSkimmer {
  /** Numbers and generations referred to, one after the other, `referenceCount` of both together. */
  references = new Int32Array(64);
  referenceCount = 0;
  /** Places in `references` of what `/Contents` of the value itself refers to, or the elements of such an array. */
  readonly contents: number[] = [];
  /** Of the value itself: */
  kind: 'dictionary' | 'array' | 'integer' | 'other' = 'other';
  integer = 0;
  hasKids = false;
  hasFile = false;
  /** `/Length`: −1 when it isn't there as a number. */
  length = -1;
  /** The number of the object that it stands in, or −1. */
  lengthIn = -1;
  /** Whether `/Contents` of the value itself is no string, reference, or array of references. */
  hasOddContents = false;
  /** How far the bytes were looked at when the answer is −2: what that has cost. */
  reached = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  /** What to answer where a word goes on to the end of the bytes. */
  #cutOff = -1;
  #at = 0;
  readonly #keys = new KeyStack();
  /** Of each open array (−1) or dictionary: where its keys begin. */
  readonly #open: number[] = [];
  #token = 0;
  /** Whether the value, or a dictionary in it, has a key twice, perhaps. */
  get hasKeyTwice(): boolean {
    return this.#keys.hasKeyTwice;
  }

  /**
   * Goes over the value at an offset.
   *
   * @param isWhole whether there is nothing behind the bytes, so that a word may end with them
   * @returns the offset behind it; −1 when the bytes end before it, −2 when the parser would refuse it, or might
   */
  skim(bytes: Uint8Array, from: number, isWhole: boolean): number {
    this.#bytes = bytes;
    this.#cutOff = isWhole ? bytes.length : -1;
    this.#at = from;
    this.#keys.clear();
    this.#open.length = 0;
    this.referenceCount = 0;
    this.contents.length = 0;
    this.kind = 'other';
    this.hasKids = false;
    this.hasFile = false;
    this.length = -1;
    this.lengthIn = -1;
    this.hasOddContents = false;
    return this.#value();
  }

  skipSpace(bytes: Uint8Array, from: number): number {
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (classes[byte] === space) continue;
      if (byte !== 0x25) break;
      while (at + 1 < bytes.length && bytes[at + 1] !== 0x0a && bytes[at + 1] !== 0x0d) at++;
    }
    return at;
  }

  #value(): number {
    const [bytes, open] = [this.#bytes, this.#open];
    let at = this.#at;
    // of the innermost dictionary: the key whose value comes next, or 0 where a key comes
    let key = 0;
    let isKeyNext = false;
    // whether what comes stands in the array that is /Contents
    let isContents = false;
    for (;;) {
      at = this.skipSpace(bytes, at);
      if (at >= bytes.length) return -1;
      this.reached = at;
      const byte = bytes[at] ?? 0;
      const isOuter = open.length === 0;
      if (isKeyNext && byte !== 0x2f && byte !== 0x3e) return -2;
      if (byte === 0x2f) {
        at = this.#name(at + 1);
        if (at < 0) return at;
        if (isKeyNext) {
          key = this.#token;
          this.#keys.add(key, open.at(-1) ?? 0);
          if (open.length === 1) this.#noteKey(key);
          isKeyNext = false;
          continue;
        }
        if (isContents) this.hasOddContents = true;
      } else if (byte === 0x3c && bytes[at + 1] === 0x3c) {
        if (isOuter) this.kind = 'dictionary';
        if (open.length >= limits.nesting) return -2;
        if (isContents || (open.length === 1 && key === contents)) this.hasOddContents = true;
        open.push(this.#keys.count);
        at += 2;
        isKeyNext = true;
        continue;
      } else if (byte === 0x3e) {
        if (at + 1 >= bytes.length) return -1;
        const start = open.pop() ?? -1;
        if (!isKeyNext || start < 0 || bytes[at + 1] !== 0x3e) return -2;
        this.#keys.close(start);
        at += 2;
      } else if (byte === 0x5b) {
        if (isOuter) this.kind = 'array';
        if (open.length >= limits.nesting) return -2;
        if (isContents) this.hasOddContents = true;
        if (open.length === 1 && (open[0] ?? -1) >= 0 && key === contents) isContents = true;
        open.push(-1);
        at++;
        continue;
      } else if (byte === 0x5d) {
        if (open.pop() !== -1) return -2;
        if (open.length === 1) isContents = false;
        at++;
      } else {
        at = byte === 0x28 ? this.#string(at + 1) : byte === 0x3c ? this.#hexString(at + 1) : this.#word(at);
        if (at < 0) return at;
        if (byte !== 0x28 && byte !== 0x3c) this.#noteNumber(key, isContents);
        else if (isContents) this.hasOddContents = true;
      }
      if (open.length === 0) return at;
      // a value is over: in a dictionary the next key comes, in an array whatever it holds
      isKeyNext = (open.at(-1) ?? -1) >= 0;
    }
  }

  #noteKey(key: number): void {
    if (key === kids) this.hasKids = true;
    else if (key === file) this.hasFile = true;
  }

  /** What a number or a reference means where it stands. */
  #noteNumber(key: number, isContents: boolean): void {
    const open = this.#open;
    const isReference = this.#token === -1;
    if (open.length === 0) {
      if (!isReference && this.#token >= 0) {
        this.kind = 'integer';
        this.integer = this.#token;
      }
      return;
    }
    if ((open[0] ?? -1) < 0) return;
    const isDirect = open.length === 1;
    if (isDirect && key === length) {
      if (isReference) this.lengthIn = this.references[this.referenceCount - 2] ?? -1;
      else this.length = Math.max(this.#token, -1);
    } else if (isContents || (isDirect && key === contents)) {
      if (isReference) this.contents.push(this.referenceCount - 2);
      else this.hasOddContents = true;
    }
  }

  /** The hash of a name to `#token`. */
  #name(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    let hash = fnvOffset;
    for (; at < bytes.length; at++) {
      let byte = bytes[at] ?? 0;
      if (classes[byte] !== regular) break;
      if (byte === 0x23) {
        const high = hexValue(bytes[at + 1] ?? -1);
        const low = high < 0 ? -1 : hexValue(bytes[at + 2] ?? -1);
        if (low >= 0) {
          byte = high * 16 + low;
          at += 2;
        }
      }
      hash = Math.imul(hash ^ byte, fnvPrime);
    }
    this.#token = hash;
    return at < bytes.length ? at : this.#cutOff;
  }

  #string(from: number): number {
    const bytes = this.#bytes;
    let depth = 1;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === 0x5c) at++;
      else if (byte === 0x28) depth++;
      else if (byte === 0x29 && --depth === 0) return at + 1;
    }
    return -1;
  }

  #hexString(from: number): number {
    const bytes = this.#bytes;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === 0x3e) return at + 1;
      this.reached = at;
      // what else stands in it the parser refuses, and so does whoever is told
      if (hexValue(byte) < 0 && classes[byte] !== space) return -2;
    }
    return -1;
  }

  /** A number, a reference or a word. `#token`: −1 for a reference, the number when it is a count, −2 for anything else. */
  #word(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    let value = 0;
    let isCount = true;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (classes[byte] !== regular) break;
      if (byte < 0x30 || byte > 0x39) isCount = false;
      value = value * 10 + byte - 0x30;
    }
    if (at >= bytes.length && this.#cutOff < 0) return -1;
    this.#token = -2;
    this.reached = at;
    if (!isCount) return this.#isKnown(from, at) ? at : -2;
    if (at === from || !Number.isSafeInteger(value)) return -2;
    this.#token = value;
    const next = this.skipSpace(bytes, at);
    this.reached = next;
    // a generation with a sign is one to the parser
    if (bytes[next] === 0x2b || bytes[next] === 0x2d) return this.#open.length === 0 ? -2 : at;
    const generation = this.#count(next);
    if (generation === -1) return -1;
    if (generation >= 0 && generation <= 65_535) {
      const end = this.skipSpace(bytes, this.#at);
      if (end + 1 >= bytes.length && this.#cutOff < 0) return -1;
      if (bytes[end] === 0x52 && classes[bytes[end + 1] ?? 0x20] !== regular) {
        this.#addReference(value, generation);
        this.#token = -1;
        return end + 1;
      }
    }
    return at;
  }

  /** The digits at an offset; −1 when the bytes end with them, −2 where something else stands. `#at`: behind them. */
  #count(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    let value = 0;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (classes[byte] !== regular) break;
      if (byte < 0x30 || byte > 0x39) return -2;
      value = value * 10 + byte - 0x30;
    }
    this.#at = at;
    if (at >= bytes.length && this.#cutOff < 0) return -1;
    return at === from ? -2 : value;
  }

  /** Whether a word is `true`, `false`, `null` or begins as numbers do. */
  #isKnown(from: number, end: number): boolean {
    const first = this.#bytes[from] ?? 0;
    if ((first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e) {
      for (let at = from; at < end; at++) {
        const byte = this.#bytes[at] ?? 0;
        if ((byte < 0x30 || byte > 0x39) && byte !== 0x2b && byte !== 0x2d && byte !== 0x2e) return false;
      }
      return true;
    }
    if (end - from > 5) return false;
    const word = String.fromCharCode(...this.#bytes.subarray(from, end));
    return word === 'true' || word === 'false' || word === 'null';
  }

  #addReference(number: number, generation: number): void {
    const count = this.referenceCount;
    if (count + 2 > this.references.length) this.references = growArray(this.references);
    this.references[count] = number > limits.objectNumber ? -1 : number;
    this.references[count + 1] = generation;
    this.referenceCount = count + 2;
  }
}
