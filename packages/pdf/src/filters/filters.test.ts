import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { isSigillumError } from '@sigillum/errors';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { limits } from '../limits.ts';
import { PdfDict, PdfName, type PdfObject } from '../objects/pdf-object.ts';
import { decodeAscii85, decodeAsciiHex } from './ascii.ts';
import { decodeStream } from './decode-stream.ts';
import { decodeLzw } from './lzw.ts';
import { decodeRunLength } from './run-length.ts';

const folder = mkdtempSync(join(tmpdir(), 'sigillum-filters-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

function decode(data: Uint8Array, filter: string, parameters: Readonly<Record<string, PdfObject>> = {}): Uint8Array {
  const dict = new PdfDict([
    ['Filter', new PdfName(filter)],
    ['DecodeParms', new PdfDict(Object.entries(parameters))],
  ]);
  return decodeStream(dict, data, (value) => value);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isSigillumError(error)) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

/** LZW as ISO 32000-2 §7.4.4.2 describes the encoder. */
function encodeLzw(data: Uint8Array, early: number): Uint8Array {
  let bits = '';
  let width = 9;
  let table = new Map<string, number>();
  let next = 258;
  const put = (code: number): void => {
    bits += code.toString(2).padStart(width, '0');
  };
  const codeOfText = (text: string): number => (text.length === 1 ? text.charCodeAt(0) : (table.get(text) ?? 0));
  put(256);
  let held = '';
  for (const byte of data) {
    const grown = held + String.fromCharCode(byte);
    if (grown.length === 1 || table.has(grown)) {
      held = grown;
      continue;
    }
    put(codeOfText(held));
    table.set(grown, next++);
    if (next + early - 1 >= 1 << width) width++;
    if (next >= 4094) {
      // before the table is full, with the width that the decoder expects
      put(256);
      table = new Map();
      next = 258;
      width = 9;
    }
    held = String.fromCharCode(byte);
  }
  if (held !== '') put(codeOfText(held));
  next++;
  if (next + early - 1 >= 1 << width) width++;
  put(257);
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

/** What qpdf makes of a stream. */
function askQpdf(data: Uint8Array, filter: string): Uint8Array {
  const path = join(folder, 'stream.pdf');
  const head = `%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /S 3 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n3 0 obj\n<< /Filter /${filter} /Length ${data.length} >>\nstream\n`;
  writeFileSync(
    path,
    Buffer.concat([
      Buffer.from(head),
      data,
      Buffer.from('\nendstream\nendobj\ntrailer\n<< /Root 1 0 R /Size 4 >>\nstartxref\n0\n%%EOF\n'),
    ]),
  );
  const out = execFileSync(
    'qpdf',
    ['--no-warn', '--warning-exit-0', '--show-object=3', '--filtered-stream-data', path],
    { maxBuffer: 2 ** 24 },
  );
  return new Uint8Array(out);
}

describe('LZW', () => {
  const long = Uint8Array.from({ length: 60_000 }, (_, index) => ((index * index) % 251) ^ (index >> 7));

  test("decodes the standard's example", () => {
    expect([...decode(hex('80 0B 60 50 22 0C 0C 85 01'), 'LZWDecode')]).toEqual([
      45, 45, 45, 45, 45, 65, 45, 45, 45, 66,
    ]);
  });

  test('decodes as qpdf does, over every width of codes', () => {
    const data = encodeLzw(long, 1);
    expect(Buffer.from(askQpdf(data, 'LZWDecode')).equals(Buffer.from(long))).toBe(true);
    expect(Buffer.from(decode(data, 'LZWDecode')).equals(Buffer.from(long))).toBe(true);
    expect(Buffer.from(decode(encodeLzw(long, 0), 'LZW', { EarlyChange: 0 })).equals(Buffer.from(long))).toBe(true);
  });

  test('gives back what was encoded, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.constantFrom(0, 1), (data, early) => {
        expect([...decode(encodeLzw(data, early), 'LZWDecode', { EarlyChange: early })]).toEqual([...data]);
      }),
    );
  });

  test('refuses a code that is not in the table, and too much output', () => {
    expect(codeOf(() => decode(hex('80 7F FF'), 'LZWDecode'))).toBe('pdf_stream_damaged');
    const data = encodeLzw(new Uint8Array(2000), 1);
    expect(decodeLzw(data, 1, 2000)).toHaveLength(2000);
    expect(codeOf(() => decodeLzw(data, 1, 1999))).toBe('pdf_limit_exceeded');
  });
});

describe('the other filters', () => {
  test.each<readonly [string, string, string, string]>([
    ['ASCIIHexDecode', '48 65\n6C6c 6F>trailing', 'Hello', ''],
    ['ASCIIHexDecode', '48657>', 'Hep', ''],
    ['ASCIIHexDecode', '4x>', '', 'pdf_stream_damaged'],
    ['ASCII85Decode', '87cURD]i,"Ebo80~>', 'Hello World!', ''],
    ['ASCII85Decode', 'z 87c\nURDZ~>', '\0\0\0\0Hello', ''],
    ['ASCII85Decode', 'uuuuu~>', '', 'pdf_stream_damaged'],
    ['ASCII85Decode', '8~>', '', 'pdf_stream_damaged'],
    ['ASCII85Decode', '8v~>', '', 'pdf_stream_damaged'],
    ['RunLengthDecode', '\x02abc\xfed\x80rest', 'abcddd', ''],
    ['RunLengthDecode', '\x05ab', '', 'pdf_stream_damaged'],
    ['RunLengthDecode', '\xfe', '', 'pdf_stream_damaged'],
    ['DCTDecode', 'x', '', 'pdf_filter_unsupported'],
  ])('%s (%#)', (filter, data, expected, code) => {
    if (code !== '') expect(codeOf(() => decode(bytesOf(data), filter))).toBe(code);
    else expect(Buffer.from(decode(bytesOf(data), filter)).toString('latin1')).toBe(expected);
  });

  test('deflate without its end or with a wrong sum is what came out of it; nonsense is refused', () => {
    const data = bytesOf('all of it '.repeat(100));
    const packed = deflateSync(data);
    expect([...decode(packed.subarray(0, -4), 'FlateDecode')]).toEqual([...data]);
    const wrong = Uint8Array.from(packed);
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
    expect([...decode(wrong, 'FlateDecode')]).toEqual([...data]);
    expect(codeOf(() => decode(bytesOf('nonsense'), 'FlateDecode'))).toBe('pdf_stream_damaged');
  });

  test('every kind of filter is bounded in what comes out', () => {
    const many = limits.inflateFree + 1;
    expect(codeOf(() => decode(deflateSync(new Uint8Array(many)), 'FlateDecode'))).toBe('pdf_limit_exceeded');
    expect(codeOf(() => decodeRunLength(Uint8Array.of(129, 0), 127))).toBe('pdf_limit_exceeded');
    expect(codeOf(() => decodeAscii85(bytesOf('zzzz'), 15))).toBe('pdf_limit_exceeded');
    expect(codeOf(() => decodeAsciiHex(bytesOf('0000'), 1))).toBe('pdf_limit_exceeded');
  });
});

describe('predictors', () => {
  test('of PNG are undone row by row, a last row that is cut off too', () => {
    const rows = [0, 1, 2, 3, /**/ 1, 1, 1, 1, /**/ 2, 1, 1, 1, /**/ 3, 2, 2, 2, /**/ 4, 1, 1];
    const decoded = decode(deflateSync(Uint8Array.from(rows)), 'FlateDecode', { Predictor: 15, Columns: 3 });
    expect([...decoded]).toEqual([1, 2, 3, 1, 2, 3, 2, 3, 4, 3, 5, 6, 4, 6]);
  });

  test('of TIFF are undone by component', () => {
    const decoded = decode(deflateSync(Uint8Array.of(1, 10, 1, 1, 5, 5, 255, 255)), 'FlateDecode', {
      Predictor: 2,
      Colors: 2,
      Columns: 2,
    });
    expect([...decoded]).toEqual([1, 10, 2, 11, 5, 5, 4, 4]);
  });

  test('that nobody knows, or that are too wide, are refused', () => {
    const data = deflateSync(Uint8Array.of(9, 1));
    expect(codeOf(() => decode(data, 'FlateDecode', { Predictor: 12 }))).toBe('pdf_stream_damaged');
    expect(codeOf(() => decode(data, 'FlateDecode', { Predictor: 9 }))).toBe('pdf_filter_unsupported');
    expect(codeOf(() => decode(data, 'FlateDecode', { Predictor: 12, Columns: 2 ** 31 }))).toBe('pdf_stream_damaged');
  });
});
