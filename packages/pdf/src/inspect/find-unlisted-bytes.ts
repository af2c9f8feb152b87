import { SigillumError } from '@sigillum/errors';
import type { PdfDocument } from '../document/pdf-document.ts';
import { PdfStream } from '../objects/pdf-object.ts';
import { ByteWindow } from '../source/byte-window.ts';
import { isWhiteSpace } from '../syntax/characters.ts';
import { Lexer } from '../syntax/lexer.ts';
import { readIndirectObject } from '../syntax/read-indirect-object.ts';
import type { XrefSection } from '../xref/xref-section.ts';

/**
 * Looks for bytes from `start` to the end of the file that are neither an object of the newest `count` sections, nor one of
 * these sections, nor their `startxref` and `%%EOF`, nor white space and comments. Readers that rebuild a damaged table
 * would see what is in such bytes.
 *
 * @returns the offset of the first such byte, or undefined
 */
export function findUnlistedBytes(document: PdfDocument, count: number, start: number): number | undefined {
  const window = new ByteWindow(document.source);
  const sections = document.sections.slice(0, count);
  const listed = listOffsets(document, window, sections);
  const end = document.source.size;
  let position = start;
  try {
    for (;;) {
      position = skipFiller(window, position, end);
      if (position < 0) return -position;
      if (position >= end) return undefined;
      const next = skipElement(document, window, sections, listed, position);
      if (next === undefined || next > end) return position;
      position = next;
    }
  } catch (error) {
    if (error instanceof SigillumError && error.code !== 'pdf_limit_exceeded') return position;
    throw error;
  }
}

/** Where listed things begin, past white space: some writers point at the end of the line before. */
function listOffsets(document: PdfDocument, window: ByteWindow, sections: readonly XrefSection[]): ReadonlySet<number> {
  const offsets = new Set<number>();
  for (const section of sections) {
    for (const number of section.numbers()) {
      const entry = section.find(number);
      if (entry?.type === 'plain') offsets.add(skipSpace(window, entry.offset + document.base));
    }
    offsets.add(skipSpace(window, section.offset));
    if (section.hidden !== undefined) offsets.add(skipSpace(window, section.hidden.offset));
  }
  return offsets;
}

/** White space before what a table lists: an end of line or two. */
const mostSpace = 16;

function skipSpace(window: ByteWindow, offset: number): number {
  let position = offset;
  while (position < offset + mostSpace && isWhiteSpace(window.at(position))) position++;
  return position;
}

/** Past white space and comments; a comment that is a header is content: its offset comes back negative. */
function skipFiller(window: ByteWindow, from: number, end: number): number {
  let position = from;
  while (position < end) {
    const byte = window.at(position);
    if (isWhiteSpace(byte)) position++;
    else if (byte === 0x25) {
      const comment = position;
      let text = '';
      for (; position < end && window.at(position) !== 0x0a && window.at(position) !== 0x0d; position++) {
        if (text.length < longestComment) text += String.fromCharCode(window.at(position));
        else return -comment;
      }
      if (text.includes('%PDF-')) return -comment;
    } else break;
  }
  return position;
}

/** What writers put there: `%%EOF`, a mark of binary bytes, their name. */
const longestComment = 128;

/** The offset behind the object, table or `startxref` that begins at a position; undefined when it may not be there. */
function skipElement(
  document: PdfDocument,
  window: ByteWindow,
  sections: readonly XrefSection[],
  listed: ReadonlySet<number>,
  position: number,
): number | undefined {
  const lexer = new Lexer(window, position);
  const kind = lexer.next();
  if (kind === 'keyword' && lexer.text === 'startxref') {
    const offset = lexer.nextCount() + document.base;
    return sections.some((section) => section.offset === offset) ? lexer.position : undefined;
  }
  if (kind === 'keyword' && lexer.text === 'xref') {
    return sections.find((section) => skipSpace(window, section.offset) === position)?.endOffset;
  }
  if (!listed.has(position)) return undefined;
  const object = readIndirectObject(window, position);
  if (!(object.value instanceof PdfStream)) return position + object.bytes;
  const length = document.readRawStream(object.value).length;
  const after = new Lexer(window, object.value.dataOffset + length);
  return after.nextIs('endstream') && after.nextIs('endobj') ? after.position : undefined;
}
