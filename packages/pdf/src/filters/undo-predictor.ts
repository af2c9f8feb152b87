import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import type { PdfDict } from '../objects/pdf-object.ts';
import { findCount } from '../objects/take.ts';
import { damagedStream } from './damaged-stream.ts';

/** Undoes the PNG predictors (ISO 32000-2 §7.4.4.4, PNG §9), or that of TIFF with whole bytes. */
export function undoPredictor(bytes: Uint8Array, parameters: PdfDict | undefined): Uint8Array {
  const what = 'the decode parameters of a stream';
  const predictor = (parameters && findCount(parameters, 'Predictor', what)) ?? 1;
  if (parameters === undefined || predictor === 1) return bytes;
  const colors = findCount(parameters, 'Colors', what) ?? 1;
  const bits = findCount(parameters, 'BitsPerComponent', what) ?? 8;
  const columns = findCount(parameters, 'Columns', what) ?? 1;
  const pixel = Math.max(1, Math.ceil((colors * bits) / 8));
  const row = Math.ceil((colors * bits * columns) / 8);
  if (row < 1 || row > limits.predictorRow) throw damagedStream('does not fit its predictor');
  if (predictor === 2 && bits === 8) return undoTiff(bytes, row, pixel);
  if (predictor < 10 || predictor > 15) {
    throw new SigillumError('pdf_filter_unsupported', `A stream that the PDF needs uses predictor ${predictor}.`);
  }
  return undoRows(bytes, row, pixel);
}

/** TIFF 6.0 §14: each component is the difference to that of the pixel on its left. */
function undoTiff(bytes: Uint8Array, row: number, pixel: number): Uint8Array {
  const decoded = bytes.slice();
  for (let from = 0; from < decoded.length; from += row) {
    const to = Math.min(from + row, decoded.length);
    for (let i = from + pixel; i < to; i++) decoded[i] = (decoded[i] ?? 0) + (decoded[i - pixel] ?? 0);
  }
  return decoded;
}

/** Each row begins with its filter's number; the last one may be cut off. */
function undoRows(bytes: Uint8Array, row: number, pixel: number): Uint8Array {
  const rows = Math.ceil(bytes.length / (row + 1));
  const decoded = new Uint8Array(bytes.length - rows);
  for (let line = 0; line < rows; line++) {
    const from = line * (row + 1) + 1;
    const source = bytes.subarray(from, from + row);
    const to = line * row;
    const target = decoded.subarray(to, to + source.length);
    const above = line === 0 ? new Uint8Array(row) : decoded.subarray(to - row, to);
    undoRow(bytes[from - 1], source, target, above, pixel);
  }
  return decoded;
}

function undoRow(
  filter: number | undefined,
  source: Uint8Array,
  target: Uint8Array,
  above: Uint8Array,
  pixel: number,
): void {
  const at = (row: Uint8Array, index: number): number => (index < 0 ? 0 : (row[index] ?? 0));
  switch (filter) {
    case 0:
      target.set(source);
      return;
    case 1:
      for (let i = 0; i < source.length; i++) target[i] = at(source, i) + at(target, i - pixel);
      return;
    case 2:
      for (let i = 0; i < source.length; i++) target[i] = (source[i] ?? 0) + (above[i] ?? 0);
      return;
    case 3:
      for (let i = 0; i < source.length; i++) {
        target[i] = at(source, i) + ((at(target, i - pixel) + at(above, i)) >> 1);
      }
      return;
    case 4:
      for (let i = 0; i < source.length; i++) {
        target[i] = at(source, i) + paeth(at(target, i - pixel), at(above, i), at(above, i - pixel));
      }
      return;
    default:
      throw damagedStream('does not fit its predictor');
  }
}

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toUpLeft = Math.abs(estimate - upLeft);
  if (toLeft <= toUp && toLeft <= toUpLeft) return left;
  return toUp <= toUpLeft ? up : upLeft;
}
