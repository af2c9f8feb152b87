import { SigillumError } from '@sigillum/errors';
import type { PdfDocument } from '../document/pdf-document.ts';
import { PdfStream } from '../objects/pdf-object.ts';
import { ByteWindow } from '../source/byte-window.ts';
import { isWhiteSpace } from '../syntax/characters.ts';
import { Lexer } from '../syntax/lexer.ts';
import { readIndirectObject } from '../syntax/read-indirect-object.ts';
import type { XrefSection } from '../xref/xref-section.ts';

/**
 * Looks for bytes between `start` and `end` that are neither an object of that section, nor the section, nor the
 * `startxref` and `%%EOF` behind it, nor white space and comments. Readers that rebuild a damaged table would see what
 * is in such bytes.
 *
 * @param view the document whose newest section lies in the range
 * @returns the offset of the first such byte, or undefined
 */
export function findUnlistedBytes(view: PdfDocument, start: number, end: number): number | undefined {
  const section = view.sections[0];
  if (section === undefined) return start;
  const window = new ByteWindow(view.source);
  const listed = listOffsets(view, section);
  let position = start;
  try {
    for (;;) {
      position = skipFiller(window, position, end);
      if (position < 0) return -position;
      if (position >= end) return undefined;
      const next = skipElement(view, window, section, listed, position);
      if (next === undefined || next > end) return position;
      position = next;
    }
  } catch (error) {
    if (error instanceof SigillumError) return position;
    throw error;
  }
}

function listOffsets(view: PdfDocument, section: XrefSection): ReadonlySet<number> {
  const offsets = new Set<number>();
  for (const number of section.numbers()) {
    const entry = section.find(number);
    if (entry?.type === 'plain') offsets.add(entry.offset + view.base);
  }
  offsets.add(section.hidden?.offset ?? section.offset);
  offsets.add(section.offset);
  return offsets;
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
  view: PdfDocument,
  window: ByteWindow,
  section: XrefSection,
  listed: ReadonlySet<number>,
  position: number,
): number | undefined {
  const lexer = new Lexer(window, position);
  const kind = lexer.next();
  if (kind === 'keyword' && lexer.text === 'startxref') {
    return lexer.nextCount() + view.base === section.offset ? lexer.position : undefined;
  }
  if (kind === 'keyword' && lexer.text === 'xref') {
    return position === section.offset ? section.endOffset : undefined;
  }
  if (!listed.has(position)) return undefined;
  const object = readIndirectObject(window, position);
  if (!(object.value instanceof PdfStream)) return position + object.bytes;
  const length = view.readRawStream(object.value).length;
  const after = new Lexer(window, object.value.dataOffset + length);
  return after.nextIs('endstream') && after.nextIs('endobj') ? after.position : undefined;
}
