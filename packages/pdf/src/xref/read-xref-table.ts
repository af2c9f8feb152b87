import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { PdfDict } from '../objects/pdf-object.ts';
import { assertNoDuplicates } from '../objects/take.ts';
import type { ByteWindow } from '../source/byte-window.ts';
import { isDigit, isWhiteSpace } from '../syntax/characters.ts';
import { ObjectParser } from '../syntax/object-parser.ts';
import { type XrefEntry, XrefSection, type XrefSubsection } from './xref-section.ts';

/** Bytes of an entry as the standard lays it out (ISO 32000-2 §7.5.4). */
const entryLength = 20;
/** The shortest spelling of an entry that can be told apart: `0 0 f` and white space. */
const shortestEntry = 6;

/** The subsections and the trailer of the classic table whose `xref` stands at an offset, leading white space apart. */
export function readXrefTable(window: ByteWindow, offset: number): XrefSection {
  const parser = new ObjectParser(window, offset);
  const { lexer } = parser;
  if (!lexer.nextIs('xref')) throw damaged(offset, 'does not begin with "xref"');
  const subsections: XrefSubsection[] = [];
  for (;;) {
    const kind = lexer.next();
    if (kind === 'keyword' && lexer.text === 'trailer') break;
    const first = kind === 'integer' ? Number(lexer.text) : -1;
    const count = lexer.nextCount();
    if (first < 0 || count < 0) throw damaged(offset, 'has something else than subsections before its trailer');
    if (first + count > limits.objectNumber + 1) {
      throw new SigillumError('pdf_limit_exceeded', `The PDF has object numbers above ${limits.objectNumber}.`);
    }
    lexer.skipWhiteSpace();
    const fixed = readFixedEntries(window, lexer.position, first, count);
    if (fixed) lexer.position += count * entryLength;
    subsections.push(fixed ?? readTokenEntries(parser, window.size, offset, first, count));
  }
  const trailer = parser.parse();
  if (!(trailer instanceof PdfDict)) throw damaged(offset, 'has no trailer dictionary');
  assertNoDuplicates(trailer, 'A trailer');
  const endOffset = lexer.position;
  return new XrefSection({
    kind: 'table',
    offset,
    trailer,
    subsections: fixNumbering(subsections, trailer),
    endOffset,
  });
}

/** Entries of exactly 20 bytes each, all of them checked; undefined when a single one is laid out differently. */
function readFixedEntries(window: ByteWindow, start: number, first: number, count: number): XrefSubsection | undefined {
  if (start + count * entryLength > window.size) return undefined;
  const bytes = window.source.read(start, count * entryLength);
  for (let at = 0; at < bytes.length; at += entryLength) {
    if (!isFixedEntry(bytes, at)) return undefined;
  }
  return {
    first,
    count,
    entry(index) {
      const at = index * entryLength;
      return toEntry(bytes[at + 17] === 0x6e, parseDigits(bytes, at, 10), parseDigits(bytes, at + 11, 5));
    },
  };
}

function isFixedEntry(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (!isDigit(bytes[at + i] ?? 0)) return false;
  for (let i = 11; i < 16; i++) if (!isDigit(bytes[at + i] ?? 0)) return false;
  const type = bytes[at + 17];
  return (
    bytes[at + 10] === 0x20 &&
    bytes[at + 16] === 0x20 &&
    (type === 0x6e || type === 0x66) &&
    isWhiteSpace(bytes[at + 18] ?? -1) &&
    isWhiteSpace(bytes[at + 19] ?? -1)
  );
}

function parseDigits(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 10 + (bytes[at + i] ?? 0x30) - 0x30;
  return value;
}

/** Entries however they are spaced: offset, generation, `n` or `f`. */
function readTokenEntries(
  { lexer }: ObjectParser,
  size: number,
  offset: number,
  first: number,
  count: number,
): XrefSubsection {
  // before anything is allocated for them: they can not be more than the file has room for
  if (lexer.position + count * shortestEntry - 1 > size) throw damaged(offset, 'is cut off');
  const offsets = new Float64Array(count);
  const generations = new Uint32Array(count);
  const used = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const where = lexer.nextCount();
    const generation = lexer.nextCount();
    const type = lexer.next() === 'keyword' ? lexer.text : '';
    if (where < 0 || generation < 0 || generation > 65_536 || (type !== 'n' && type !== 'f')) {
      throw damaged(offset, `has a malformed entry for object ${first + index}`);
    }
    offsets[index] = where;
    generations[index] = generation;
    used[index] = type === 'n' ? 1 : 0;
  }
  return {
    first,
    count,
    entry: (index) => toEntry(used[index] === 1, offsets[index] ?? 0, generations[index] ?? 0),
  };
}

/** An entry in use at offset 0 can't be one: writers mean free. */
function toEntry(used: boolean, offset: number, generation: number): XrefEntry {
  return { type: used && offset > 0 ? 'plain' : 'free', offset, generation };
}

/**
 * Some writers number the only section of a file from 1 although it begins with the head of the free list, which is
 * object 0. Should it really be object 1, then the object headers don't match and the file is refused.
 */
function fixNumbering(subsections: XrefSubsection[], trailer: PdfDict): XrefSubsection[] {
  const [subsection, ...others] = subsections;
  if (subsection?.first !== 1 || subsection.count === 0 || trailer.find('Prev')) return subsections;
  const head = subsection.entry(0);
  const isHead = head.type === 'free' && head.offset === 0 && head.generation === 65_535;
  return isHead ? [{ ...subsection, first: 0 }, ...others] : subsections;
}

function damaged(offset: number, how: string): SigillumError {
  return new SigillumError('pdf_xref_damaged', `The cross-reference table at byte ${offset} of the PDF ${how}.`);
}
