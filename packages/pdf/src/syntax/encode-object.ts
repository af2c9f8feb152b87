import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import {
  isPdfArray,
  PdfDict,
  PdfName,
  PdfNewStream,
  type PdfObject,
  PdfReal,
  PdfRef,
  PdfStream,
  PdfString,
} from '../objects/pdf-object.ts';
import { PdfPlaceholder } from '../objects/pdf-placeholder.ts';
import { assertNoDuplicates } from '../objects/take.ts';
import type { ByteSink } from '../source/byte-sink.ts';
import { isRegular } from './characters.ts';

/** Where placeholders were written, as offsets in the sink. */
export type PlaceholderPositions = Map<PdfPlaceholder, number>;

/** Writes a value so that any parser reads it back the same. Deterministic; dictionaries keep their order. */
export function encodeObject(value: PdfObject, sink: ByteSink, positions: PlaceholderPositions, depth = 0): void {
  if (depth > limits.nesting + 8) {
    // 8: what an update may wrap around a parsed value
    throw new SigillumError('pdf_limit_exceeded', `A value nests more than ${limits.nesting} deep.`);
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'number') sink.latin1(String(value));
  else if (value instanceof PdfReal) sink.latin1(value.text);
  else if (value instanceof PdfName) sink.latin1(encodeName(value.value));
  else if (value instanceof PdfRef) sink.latin1(value.toString());
  else if (value instanceof PdfString) encodeString(value, sink);
  else if (value instanceof PdfPlaceholder) {
    positions.set(value, sink.length);
    sink.bytes(value.bytes);
  } else if (value instanceof PdfDict) {
    // only one value of the two would be written, and readers may have taken the other
    assertNoDuplicates(value, 'A dictionary that must be written again');
    sink.latin1('<<');
    for (const [key, entry] of value.entries()) {
      sink.latin1(` ${encodeName(key)} `);
      encodeObject(entry, sink, positions, depth + 1);
    }
    sink.latin1(' >>');
  } else if (isPdfArray(value)) {
    sink.latin1('[');
    for (const [index, entry] of value.entries()) {
      if (index > 0) sink.byte(0x20);
      encodeObject(entry, sink, positions, depth + 1);
    }
    sink.latin1(']');
  } else if (value instanceof PdfNewStream) {
    encodeObject(value.dict.with({ Length: value.data.length }), sink, positions, depth);
    sink.latin1('\nstream\n');
    sink.bytes(value.data);
    sink.latin1('\nendstream');
  } else if (value instanceof PdfStream) {
    throw new TypeError('a stream of the input can not be written again');
  }
}

function encodeName(name: string): string {
  let text = '/';
  for (let i = 0; i < name.length; i++) {
    const byte = name.charCodeAt(i);
    // §7.3.5: outside ! to ~, and # itself, as #xx
    if (byte < 0x21 || byte > 0x7e || byte === 0x23 || !isRegular(byte)) {
      text += `#${byte.toString(16).padStart(2, '0')}`;
    } else text += String.fromCharCode(byte);
  }
  return text;
}

function encodeString({ bytes, hex }: PdfString, sink: ByteSink): void {
  if (hex) {
    sink.byte(0x3c);
    for (const byte of bytes) sink.latin1(byte.toString(16).padStart(2, '0'));
    sink.byte(0x3e);
    return;
  }
  sink.byte(0x28);
  for (const byte of bytes) {
    if (byte < 0x20 || byte > 0x7e) sink.latin1(`\\${byte.toString(8).padStart(3, '0')}`);
    else {
      if (byte === 0x5c || byte === 0x28 || byte === 0x29) sink.byte(0x5c);
      sink.byte(byte);
    }
  }
  sink.byte(0x29);
}
