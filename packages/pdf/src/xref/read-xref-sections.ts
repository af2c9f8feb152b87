import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { findCount } from '../objects/take.ts';
import type { ByteWindow } from '../source/byte-window.ts';
import { Lexer } from '../syntax/lexer.ts';
import { readXrefStream } from './read-xref-stream.ts';
import { readXrefTable } from './read-xref-table.ts';
import type { XrefSection } from './xref-section.ts';

/**
 * Every cross-reference section from the newest to the oldest, along `/Prev`.
 *
 * @param start what `startxref` says
 * @param base what offsets count from, in the source
 */
export function readXrefSections(window: ByteWindow, start: number, base: number): readonly XrefSection[] {
  const sections: XrefSection[] = [];
  const seen = new Set<number>();
  let entries = 0;
  let decoded = 0;
  let offset: number | undefined = start;
  while (offset !== undefined) {
    if (seen.has(offset)) {
      throw new SigillumError(
        'pdf_xref_loop',
        `The cross-reference section at byte ${offset + base} of the PDF leads back to itself.`,
      );
    }
    seen.add(offset);
    if (sections.length >= limits.xrefSections) {
      throw new SigillumError(
        'pdf_limit_exceeded',
        `The PDF has more than ${limits.xrefSections} cross-reference sections.`,
      );
    }
    const section = readXrefSection(window, offset, base);
    entries += section.entryCount;
    if (entries > limits.xrefEntries) {
      throw new SigillumError(
        'pdf_limit_exceeded',
        `The PDF has more than ${limits.xrefEntries} cross-reference entries.`,
      );
    }
    decoded += section.decodedLength;
    if (decoded > limits.xrefDecoded) {
      throw new SigillumError(
        'pdf_limit_exceeded',
        `The cross-reference streams of the PDF decode to more than ${limits.xrefDecoded} bytes.`,
      );
    }
    sections.push(section);
    // 0 can be no section; writers of first revisions put it there
    offset = findCount(section.trailer, 'Prev', 'a trailer') || undefined;
  }
  return sections;
}

/** Whether a cross-reference section, of either kind, begins at an offset. */
export function isXrefSection(window: ByteWindow, offset: number): boolean {
  if (offset >= window.size) return false;
  const lexer = new Lexer(window, offset);
  try {
    const kind = lexer.next();
    if (kind === 'keyword') return lexer.text === 'xref';
    return kind === 'integer' && lexer.nextCount() >= 0 && lexer.nextIs('obj');
  } catch {
    return false;
  }
}

function readXrefSection(window: ByteWindow, offset: number, base: number): XrefSection {
  const at = offset + base;
  if (!isXrefSection(window, at)) {
    throw new SigillumError(
      'pdf_xref_damaged',
      `The PDF says that a cross-reference section begins at byte ${at}, but none does.`,
    );
  }
  const lexer = new Lexer(window, at);
  if (lexer.next() === 'integer') return readXrefStream(window, at);
  const table = readXrefTable(window, at);
  const hidden = findCount(table.trailer, 'XRefStm', 'a trailer');
  if (hidden === undefined) return table;
  return table.withHidden(readXrefStream(window, hidden + base));
}
