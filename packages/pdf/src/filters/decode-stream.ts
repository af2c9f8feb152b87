import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { isPdfArray, PdfDict, PdfName, type PdfObject } from '../objects/pdf-object.ts';
import { assertNoDuplicates, wrongType } from '../objects/take.ts';
import { inflate } from './inflate.ts';
import { undoPredictor } from './undo-predictor.ts';

/**
 * The content of a stream that belongs to the file's structure (xref stream, object stream): these use FlateDecode or
 * nothing in practice, so everything else is refused (`pdf_filter_unsupported`).
 *
 * @param resolve gives the value behind a reference; for xref streams it refuses them
 */
export function decodeStream(dict: PdfDict, data: Uint8Array, resolve: (value: PdfObject) => PdfObject): Uint8Array {
  assertNoDuplicates(dict, 'A stream');
  if (dict.has('F')) throw unsupported('lies in another file');
  const filters = toList(dict, ['Filter'], resolve);
  const parameters = toList(dict, ['DecodeParms', 'DP'], resolve);
  if (filters.length > limits.filters) throw unsupported(`has more than ${limits.filters} filters`);
  let bytes = data;
  for (const [index, filter] of filters.entries()) {
    if (!(filter instanceof PdfName)) throw wrongType('/Filter of a stream', 'a name');
    if (filter.value !== 'FlateDecode' && filter.value !== 'Fl')
      throw unsupported('is not compressed with FlateDecode');
    const parameter = parameters[index] ?? undefined;
    if (parameter !== undefined && !(parameter instanceof PdfDict)) {
      throw wrongType('/DecodeParms of a stream', 'a dictionary');
    }
    if (parameter) assertNoDuplicates(parameter, 'The decode parameters of a stream');
    bytes = undoPredictor(inflate(bytes), parameter);
  }
  if (bytes.length > limits.decodedLength) {
    throw new SigillumError('pdf_limit_exceeded', `A stream of the PDF has more than ${limits.decodedLength} bytes.`);
  }
  return bytes;
}

function toList(
  dict: PdfDict,
  keys: readonly string[],
  resolve: (value: PdfObject) => PdfObject,
): readonly PdfObject[] {
  const found = keys.map((key) => dict.find(key)).find((value) => value !== undefined);
  const value = found === undefined ? null : resolve(found);
  if (value === null) return [];
  return isPdfArray(value) ? value.map(resolve) : [value];
}

function unsupported(how: string): SigillumError {
  return new SigillumError('pdf_filter_unsupported', `A stream that the PDF needs ${how}.`);
}
