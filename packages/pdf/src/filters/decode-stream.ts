import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { isPdfArray, PdfDict, PdfName, type PdfObject } from '../objects/pdf-object.ts';
import { assertNoDuplicates, findCount, wrongType } from '../objects/take.ts';
import { decodeAscii85, decodeAsciiHex } from './ascii.ts';
import { tooLong } from './decoded-bytes.ts';
import { inflate } from './inflate.ts';
import { decodeLzw } from './lzw.ts';
import { decodeRunLength } from './run-length.ts';
import { undoPredictor } from './undo-predictor.ts';

/**
 * The content of a stream: every general filter of ISO 32000-2 table 6 is undone, each step bounded in size and ratio; filters of
 * images are refused (`pdf_filter_unsupported`).
 *
 * @param data already decrypted
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
    const parameter = parameters[index] ?? undefined;
    if (parameter !== undefined && !(parameter instanceof PdfDict)) {
      throw wrongType('/DecodeParms of a stream', 'a dictionary');
    }
    if (parameter) assertNoDuplicates(parameter, 'The decode parameters of a stream');
    bytes = undoFilter(filter.value, bytes, parameter, index);
  }
  if (bytes.length > limits.decodedLength) throw tooLong(limits.decodedLength);
  return bytes;
}

function undoFilter(name: string, bytes: Uint8Array, parameter: PdfDict | undefined, index: number): Uint8Array {
  const most = Math.min(limits.decodedLength, Math.max(limits.inflateFree, bytes.length * limits.inflateRatio));
  switch (name) {
    case 'FlateDecode':
    case 'Fl':
      return undoPredictor(inflate(bytes, most), parameter);
    case 'LZWDecode':
    case 'LZW': {
      const early = parameter && findCount(parameter, 'EarlyChange', 'the decode parameters of a stream');
      return undoPredictor(decodeLzw(bytes, early === 0 ? 0 : 1, most), parameter);
    }
    case 'ASCII85Decode':
    case 'A85':
      return decodeAscii85(bytes, most);
    case 'ASCIIHexDecode':
    case 'AHx':
      return decodeAsciiHex(bytes, most);
    case 'RunLengthDecode':
    case 'RL':
      return decodeRunLength(bytes, most);
    case 'Crypt':
      // §7.4.10: it comes first, and decryption has seen to it
      if (index === 0) return bytes;
      throw unsupported('is encrypted behind another filter');
    default:
      throw unsupported('is compressed like an image');
  }
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
