import { SigillumError } from '@sigillum/errors';
import { decodeStream } from '../filters/decode-stream.ts';
import { limits } from '../limits.ts';
import { isPdfArray, type PdfDict, type PdfObject, PdfRef, PdfStream } from '../objects/pdf-object.ts';
import { findCount, isName } from '../objects/take.ts';
import type { ByteWindow } from '../source/byte-window.ts';
import { readStreamData } from '../source/read-stream-data.ts';
import { readIndirectObject } from '../syntax/read-indirect-object.ts';
import { type XrefEntry, XrefSection, type XrefSubsection } from './xref-section.ts';

/** The cross-reference stream that begins at an offset (ISO 32000-2 §7.5.8). Its values are direct: nothing can be resolved yet. */
export function readXrefStream(window: ByteWindow, offset: number): XrefSection {
  const stream = readXrefObject(window, offset);
  const { dict } = stream;
  if (!isName(dict.find('Type'), 'XRef')) throw damaged(offset, 'is a stream of another type');
  const length = findCount(dict, 'Length', 'a cross-reference stream');
  const size = findCount(dict, 'Size', 'a cross-reference stream');
  if (length === undefined || size === undefined) throw damaged(offset, 'has no length or size');
  const widths = readWidths(dict, offset);
  const bytes = decodeStream(dict, readStreamData(window, stream.dataOffset, length), refuseReference);
  const subsections: XrefSubsection[] = [];
  let at = 0;
  for (const { first, count } of readIndex(dict, size, offset)) {
    const width = widths[0] + widths[1] + widths[2];
    if (at + count * width > bytes.length) throw damaged(offset, 'is shorter than its index says');
    const part = bytes.subarray(at, at + count * width);
    subsections.push({ first, count, entry: (index) => readEntry(part, index * width, widths) });
    at += count * width;
  }
  return new XrefSection({ kind: 'stream', offset, trailer: dict, subsections, decodedLength: bytes.length });
}

function readXrefObject(window: ByteWindow, offset: number): PdfStream {
  let value: PdfObject;
  try {
    value = readIndirectObject(window, offset).value;
  } catch (cause) {
    if (cause instanceof SigillumError && cause.code === 'pdf_object_misplaced') {
      throw damaged(offset, 'is not there', cause);
    }
    throw cause;
  }
  if (!(value instanceof PdfStream)) throw damaged(offset, 'is not a stream');
  return value;
}

type Widths = readonly [number, number, number];

function readWidths(dict: PdfDict, offset: number): Widths {
  const value = dict.find('W');
  const [type, second, third] = isPdfArray(value) ? value : [];
  if (isWidth(type) && isWidth(second) && isWidth(third) && type + second + third > 0) return [type, second, third];
  throw damaged(offset, 'has wrong field widths');
}

function isWidth(value: PdfObject | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= 8;
}

function readIndex(dict: PdfDict, size: number, offset: number): { first: number; count: number }[] {
  const value = dict.find('Index') ?? [0, size];
  if (!isPdfArray(value) || value.length % 2 !== 0) throw damaged(offset, 'has a wrong index');
  const index: { first: number; count: number }[] = [];
  for (let i = 0; i < value.length; i += 2) {
    const [first, count] = [value[i], value[i + 1]];
    if (typeof first !== 'number' || typeof count !== 'number' || first < 0 || count < 0) {
      throw damaged(offset, 'has a wrong index');
    }
    if (first + count > limits.objectNumber + 1) {
      throw new SigillumError('pdf_limit_exceeded', `The PDF has object numbers above ${limits.objectNumber}.`);
    }
    index.push({ first, count });
  }
  return index;
}

/** §7.5.8.3, table 18; a type of width 0 is 1, unknown types are as good as null objects. */
function readEntry(bytes: Uint8Array, at: number, [typeWidth, secondWidth, thirdWidth]: Widths): XrefEntry {
  const type = typeWidth === 0 ? 1 : readField(bytes, at, typeWidth);
  const second = readField(bytes, at + typeWidth, secondWidth);
  const third = readField(bytes, at + typeWidth + secondWidth, thirdWidth);
  if (type === 1 && second > 0) return { type: 'plain', offset: second, generation: third };
  if (type === 2) return { type: 'compressed', container: second, index: third };
  return { type: 'free', offset: second, generation: third };
}

/** Big-endian; beyond 2^53 it loses digits, but no file reaches there and no offset that large is ever read. */
function readField(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

function refuseReference(value: PdfObject): PdfObject {
  if (!(value instanceof PdfRef)) return value;
  throw new SigillumError(
    'pdf_xref_damaged',
    'A cross-reference stream of the PDF refers to other objects for its own values.',
  );
}

function damaged(offset: number, how: string, cause?: unknown): SigillumError {
  return new SigillumError('pdf_xref_damaged', `The cross-reference section at byte ${offset} of the PDF ${how}.`, {
    cause,
  });
}
