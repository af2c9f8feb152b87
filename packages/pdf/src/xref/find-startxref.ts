import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { isWhiteSpace } from '../syntax/characters.ts';

const keyword = 'startxref';
/** Bytes looked at in one go while padding is skipped. */
const stepLength = 2048;

/** The offset that the last `startxref` gives (ISO 32000-2 §7.5.5); what follows it is not looked at. */
export function findStartxref(source: ByteSource): number {
  const end = findEnd(source);
  const start = Math.max(0, end - limits.startxrefSearch);
  const bytes = source.read(start, end - start);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const at = text.lastIndexOf(keyword);
  if (at < 0) throw missing('The PDF has no startxref near its end: it is cut off, or too much was put after it.');
  const match = /^[\0\t\n\f\r ]+(\d{1,15})(?!\d)/.exec(text.slice(at + keyword.length));
  if (match?.[1] === undefined) throw missing('The last startxref of the PDF is not followed by an offset.');
  return Number(match[1]);
}

/** Where the file ends but for white space and zeros. */
function findEnd(source: ByteSource): number {
  const floor = Math.max(0, source.size - limits.trailingPadding);
  let end = source.size;
  while (end > floor) {
    const start = Math.max(floor, end - stepLength);
    const bytes = source.read(start, end - start);
    const last = bytes.findLastIndex((byte) => !isWhiteSpace(byte));
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return end;
}

function missing(message: string): SigillumError {
  return new SigillumError('pdf_startxref_missing', message);
}
