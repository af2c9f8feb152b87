import { SigillumError } from '@sigillum/errors';
import type { PdfDict } from '../objects/pdf-object.ts';
import { findCount } from '../objects/take.ts';

/** Bytes of one row: far above any xref stream, low enough for two rows to be kept. */
const longestRow = 1024 * 1024;

/** Undoes the PNG predictors (ISO 32000-2 §7.4.4.4, PNG §9); each row begins with its filter's number. */
export function undoPredictor(bytes: Uint8Array, parameters: PdfDict | undefined): Uint8Array {
  const what = 'the decode parameters of a stream';
  const predictor = (parameters && findCount(parameters, 'Predictor', what)) ?? 1;
  if (parameters === undefined || predictor === 1) return bytes;
  if (predictor < 10 || predictor > 15) {
    throw new SigillumError('pdf_filter_unsupported', `A stream that the PDF needs uses predictor ${predictor}.`);
  }
  const colors = findCount(parameters, 'Colors', what) ?? 1;
  const bits = findCount(parameters, 'BitsPerComponent', what) ?? 8;
  const columns = findCount(parameters, 'Columns', what) ?? 1;
  const pixel = Math.max(1, Math.ceil((colors * bits) / 8));
  const row = Math.ceil((colors * bits * columns) / 8);
  if (row < 1 || row > longestRow || bytes.length % (row + 1) !== 0) throw damaged();
  return undoRows(bytes, row, pixel);
}

function undoRows(bytes: Uint8Array, row: number, pixel: number): Uint8Array {
  const rows = bytes.length / (row + 1);
  const decoded = new Uint8Array(rows * row);
  const at = (index: number): number => decoded[index] ?? 0;
  for (let line = 0; line < rows; line++) {
    const from = line * (row + 1);
    const to = line * row;
    const filter = bytes[from];
    for (let i = 0; i < row; i++) {
      const left = i < pixel ? 0 : at(to + i - pixel);
      const up = line === 0 ? 0 : at(to + i - row);
      const upLeft = line === 0 || i < pixel ? 0 : at(to + i - row - pixel);
      decoded[to + i] = (bytes[from + 1 + i] ?? 0) + predict(filter, left, up, upLeft);
    }
  }
  return decoded;
}

function predict(filter: number | undefined, left: number, up: number, upLeft: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4:
      return paeth(left, up, upLeft);
    default:
      throw damaged();
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

function damaged(): SigillumError {
  return new SigillumError('pdf_stream_damaged', 'A stream that the PDF needs does not fit its predictor.');
}
