import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import type { ByteSource } from '../source/byte-source.ts';

const keyword = 'startxref';
const windowLength = 2048;
/** `startxref`, an end of line, up to 19 digits: what a window overlaps the one after it by. */
const overlap = 64;

/** The offset that the last `startxref` gives (ISO 32000-2 §7.5.5); what follows it is not looked at. */
export function findStartxref(source: ByteSource): number {
  const floor = Math.max(0, source.size - limits.startxrefSearch);
  for (let end = source.size; end > floor; end -= windowLength) {
    const start = Math.max(floor, end - windowLength);
    const bytes = source.read(start, Math.min(source.size, end + overlap) - start);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const at = text.lastIndexOf(keyword);
    if (at < 0) continue;
    const match = /^[\0\t\n\f\r ]+(\d{1,15})(?!\d)/.exec(text.slice(at + keyword.length, at + overlap));
    if (match?.[1] === undefined) throw missing('The last startxref of the PDF is not followed by an offset.');
    return Number(match[1]);
  }
  throw missing('The PDF has no startxref near its end: it is cut off, or too much was put after it.');
}

function missing(message: string): SigillumError {
  return new SigillumError('pdf_startxref_missing', message);
}
