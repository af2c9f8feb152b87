import {
  isPdfArray,
  PdfDict,
  PdfName,
  type PdfObject,
  PdfReal,
  PdfRef,
  PdfStream,
  PdfString,
} from '../objects/pdf-object.ts';

/** Compares the data of two streams, whose dictionaries are the same. */
export type EqualStreams = (left: PdfStream, right: PdfStream) => boolean;

/**
 * Whether two values are the same, numbers by value, references by their numbers, dictionaries without regard to order. Nothing with a
 * duplicate key equals anything: nobody knows what it is.
 */
export function equalObjects(
  left: PdfObject | undefined,
  right: PdfObject | undefined,
  streams: EqualStreams,
): boolean {
  if (left === undefined || right === undefined || left === null || right === null) {
    return (left ?? null) === (right ?? null);
  }
  if (isNumber(left) || isNumber(right)) return isNumber(left) && isNumber(right) && equalNumbers(left, right);
  if (typeof left !== 'object' || typeof right !== 'object') return left === right;
  if (left instanceof PdfName) return right instanceof PdfName && left.value === right.value;
  if (left instanceof PdfRef) {
    return right instanceof PdfRef && left.number === right.number && left.generation === right.generation;
  }
  if (left instanceof PdfString) return right instanceof PdfString && equalBytes(left.bytes, right.bytes);
  if (left instanceof PdfDict) return right instanceof PdfDict && equalDicts(left, right, streams);
  if (left instanceof PdfStream) {
    return right instanceof PdfStream && equalDicts(left.dict, right.dict, streams) && streams(left, right);
  }
  if (!isPdfArray(left) || !isPdfArray(right) || left.length !== right.length) return false;
  return left.every((value, index) => equalObjects(value, right[index], streams));
}

function isNumber(value: PdfObject): value is number | PdfReal {
  return typeof value === 'number' || value instanceof PdfReal;
}

/** By value: writers spell `.5` as `0.50` and 1 as `1.0` when they write an object again. */
function equalNumbers(left: number | PdfReal, right: number | PdfReal): boolean {
  if (left instanceof PdfReal && right instanceof PdfReal && left.text === right.text) return true;
  const [a, b] = [left, right].map((value) => (typeof value === 'number' ? value : value.value));
  if (a === undefined || a !== b) return false;
  if (Math.abs(a) <= Number.MAX_SAFE_INTEGER) return true;
  return left instanceof PdfReal && right instanceof PdfReal && left.text === right.text;
}

function equalDicts(left: PdfDict, right: PdfDict, streams: EqualStreams): boolean {
  if (left.duplicates.length > 0 || right.duplicates.length > 0) return false;
  const keys = new Set([...left.entries(), ...right.entries()].map(([key]) => key));
  return [...keys].every((key) => equalObjects(left.find(key), right.find(key), streams));
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
