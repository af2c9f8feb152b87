import { inflateSync } from 'node:zlib';
import { SigillumError } from '@sigillum/errors';
import { isPdfArray, PdfDict, type PdfDocument, PdfName, type PdfStream } from '@sigillum/pdf';
import { tooMuch } from './anchor-errors.ts';
import { anchorLimits } from './anchor-limits.ts';
import { decodeAscii85, decodeAsciiHex, decodeLzw, decodeRunLength } from './text-filters.ts';

/** What decoding may still cost. */
export type Budget = { bytes: number; pageBytes: number };

/** What a stream costs besides its bytes: an empty form can be shown millions of times. */
const streamCost = 1024;

/** The content of a stream of a page, a form or a map, with every filter that such streams use (ISO 32000-2 §7.4). */
export function decodeContent(document: PdfDocument, stream: PdfStream, budget: Budget): Uint8Array {
  const filters = list(document, stream.dict, 'Filter').map((filter) =>
    filter instanceof PdfName ? filter.value : '',
  );
  const parameters = list(document, stream.dict, 'DecodeParms');
  const most = Math.min(budget.bytes, budget.pageBytes);
  let bytes: Uint8Array;
  if (filters.every((name) => name === 'FlateDecode' || name === 'Fl')) bytes = document.readStream(stream);
  else {
    const raw = document.readRawStream(stream);
    bytes = document.security?.decryptStream(stream.dict, stream.ref, raw, (value) => document.resolve(value)) ?? raw;
    for (const [index, name] of filters.entries()) {
      const parameter = parameters[index];
      bytes = decodeOne(document, name, bytes, parameter instanceof PdfDict ? parameter : undefined, most);
    }
  }
  spend(budget, bytes.length + streamCost);
  return bytes;
}

/** Counts what something costs, in bytes of content. */
export function spend(budget: Budget, bytes: number): void {
  budget.bytes -= bytes;
  budget.pageBytes -= bytes;
  if (budget.bytes >= 0 && budget.pageBytes >= 0) return;
  throw tooMuch(`more than ${anchorLimits.pageBytes} bytes of content on a page, or ${anchorLimits.bytes} altogether`);
}

function decodeOne(
  document: PdfDocument,
  name: string,
  bytes: Uint8Array,
  parameters: PdfDict | undefined,
  most: number,
): Uint8Array {
  const predictor = (parameters && document.find(parameters, 'Predictor')) ?? 1;
  if (predictor !== 1) throw unsupported(`${name} with a predictor`);
  switch (name) {
    case 'FlateDecode':
    case 'Fl':
      return inflate(bytes, most);
    case 'LZWDecode':
    case 'LZW':
      return decodeLzw(bytes, parameters && document.find(parameters, 'EarlyChange') === 0 ? 0 : 1, most);
    case 'ASCII85Decode':
    case 'A85':
      return decodeAscii85(bytes);
    case 'ASCIIHexDecode':
    case 'AHx':
      return decodeAsciiHex(bytes);
    case 'RunLengthDecode':
    case 'RL':
      return decodeRunLength(bytes, most);
    default:
      throw unsupported(name.replaceAll(/[^!-~]/g, '?').slice(0, 64));
  }
}

function inflate(bytes: Uint8Array, most: number): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: Math.max(1, most) });
  } catch (cause) {
    throw new SigillumError('pdf_stream_damaged', 'The content of a page can not be decompressed, or is too large.', {
      cause,
    });
  }
}

function list(document: PdfDocument, dict: PdfDict, key: string) {
  const value = document.find(dict, key);
  if (value === undefined) return [];
  return isPdfArray(value) ? value.map((one) => document.resolve(one)) : [value];
}

function unsupported(what: string): SigillumError {
  return new SigillumError('pdf_filter_unsupported', `The content of a page is compressed with ${what}.`);
}
