import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { PdfDict, type PdfObject, PdfRef, PdfStream } from '../objects/pdf-object.ts';
import type { ByteView } from './lexer.ts';
import { ObjectParser } from './object-parser.ts';

export type IndirectObject = {
  readonly number: number;
  readonly generation: number;
  readonly value: PdfObject;
  /** Bytes looked at and values made: what reading it has cost. */
  readonly bytes: number;
  readonly values: number;
};

/** What may come next where `endobj` was forgotten, besides the number of the next object: the value is complete all the same. */
const followers: ReadonlySet<string> = new Set(['xref', 'startxref', 'trailer']);

/**
 * The `n g obj … endobj` that begins at an offset, leading white space apart (ISO 32000-2 §7.3.10).
 *
 * @param spend called when it can't be read
 * @throws SigillumError `pdf_object_misplaced` when none begins there, `pdf_object_malformed` when it breaks the syntax.
 */
export function readIndirectObject(view: ByteView, offset: number, spend?: Spend): IndirectObject {
  const parser = new ObjectParser(view, offset);
  try {
    return readWith(parser, view, offset);
  } catch (error) {
    spend?.(parser.lexer.position - offset, parser.values);
    throw error;
  }
}

/** Is told the bytes looked at and the values made for an object that can't be read: they cost as much as others. */
export type Spend = (bytes: number, values: number) => void;

function readWith(parser: ObjectParser, view: ByteView, offset: number): IndirectObject {
  const { lexer } = parser;
  const number = readHeaderNumber(parser, offset, limits.objectNumber);
  const generation = readHeaderNumber(parser, offset, 65_535);
  if (!lexer.nextIs('obj')) throw misplaced(offset);
  const value = parser.parse();
  const end = lexer.position;
  const kind = lexer.next();
  const word = kind === 'keyword' ? lexer.text : '';
  const isOver = word === '' ? kind === 'integer' || kind === 'end' : followers.has(word);
  const cost = { bytes: (isOver ? end : lexer.position) - offset, values: parser.values };
  if (isOver || word === 'endobj') return { number, generation, value, ...cost };
  if (word !== 'stream' || !(value instanceof PdfDict)) throw lexer.malformed('no "endobj" after an object');
  const stream = new PdfStream(value, findStreamData(view, lexer.position), new PdfRef(number, generation));
  return { number, generation, value: stream, ...cost };
}

/** Blanks between `stream` and the end of its line, which some writers leave there. */
const mostBlanks = 64;

/** §7.3.8.1: `stream` is followed by CR LF or LF. A CR alone is not allowed there, but writers exist. */
function findStreamData(view: ByteView, start: number): number {
  let position = start;
  while (position < start + mostBlanks && (view.at(position) === 0x20 || view.at(position) === 0x09)) position++;
  const byte = view.at(position);
  if (byte === 0x0a) return position + 1;
  if (byte === 0x0d) return view.at(position + 1) === 0x0a ? position + 2 : position + 1;
  throw new SigillumError(
    'pdf_stream_damaged',
    `The PDF has a stream at byte ${position} that does not begin on a line of its own.`,
  );
}

function readHeaderNumber({ lexer }: ObjectParser, offset: number, limit: number): number {
  let value: number;
  try {
    value = lexer.nextCount();
  } catch (cause) {
    throw misplaced(offset, cause);
  }
  if (value < 0 || value > limit) throw misplaced(offset);
  return value;
}

function misplaced(offset: number, cause?: unknown): SigillumError {
  return new SigillumError(
    'pdf_object_misplaced',
    `The PDF says that an object begins at byte ${offset}, but none does.`,
    {
      cause,
    },
  );
}
