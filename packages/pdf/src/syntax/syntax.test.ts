import { describe, expect, test } from '@jest/globals';
import { isSigillumError } from '@sigillum/errors';
import fc from 'fast-check';
import { limits } from '../limits.ts';
import { isPdfArray, PdfDict, PdfName, type PdfObject, PdfReal, PdfRef, PdfString } from '../objects/pdf-object.ts';
import { ByteSink } from '../source/byte-sink.ts';
import { createArraySource } from '../source/byte-source.ts';
import { ByteWindow } from '../source/byte-window.ts';
import { encodeObject } from './encode-object.ts';
import { ObjectParser } from './object-parser.ts';
import { decodeTextString, encodeTextString } from './text-string.ts';

const toBytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const parse = (text: string): PdfObject =>
  new ObjectParser(new ByteWindow(createArraySource(toBytes(text))), 0).parse();

function encode(value: PdfObject): string {
  const sink = new ByteSink();
  encodeObject(value, sink, new Map());
  return Buffer.from(sink.take()).toString('latin1');
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

/** Something that toEqual can compare: classes with private fields look all alike to it. */
function plain(value: PdfObject): unknown {
  if (value instanceof PdfDict) return { dict: [...value.entries()].map(([key, entry]) => [key, plain(entry)]) };
  if (value instanceof PdfString) return { string: Buffer.from(value.bytes).toString('hex') };
  if (value instanceof PdfName) return { name: value.value };
  if (value instanceof PdfRef) return { ref: value.toString() };
  if (value instanceof PdfReal) return { real: value.text };
  return isPdfArray(value) ? value.map(plain) : value;
}

describe('the parser', () => {
  test('reads every kind of value', () => {
    const text = `<< /A 1 /B -2.50 /C (s) /D <4142> /E [true false null 3 0 R 4 5] /F /N#20m /G << >> /H .5 /I +7 >> % end`;
    expect(plain(parse(text))).toEqual({
      dict: [
        ['A', 1],
        ['B', { real: '-2.50' }],
        ['C', { string: '73' }],
        ['D', { string: '4142' }],
        ['E', [true, false, null, { ref: '3 0 R' }, 4, 5]],
        ['F', { name: 'N m' }],
        ['G', { dict: [] }],
        ['H', { real: '.5' }],
        ['I', 7],
      ],
    });
  });

  test.each([
    ['(a(b)c)', 'a(b)c'],
    ['(\\(\\)\\\\\\n\\r\\t\\b\\f\\x)', '()\\\n\r\t\b\fx'],
    ['(\\101\\7\\0411)', 'A\x07!1'],
    ['(a\\\r\nb\\\nc\\\rd)', 'abcd'],
    ['(a\r\nb\rc\nd)', 'a\nb\nc\nd'],
    ['<48 65\n6C6c6F7>', 'Hellop'],
    ['<>', ''],
  ])('reads the string %s', (source, expected) => {
    const string = parse(source);
    expect(string).toBeInstanceOf(PdfString);
    expect(string instanceof PdfString && Buffer.from(string.bytes).toString('latin1')).toBe(expected);
  });

  test('tells references from numbers that only stand beside each other', () => {
    expect(plain(parse('[1 0 R 2 3 4 0 R 5 6 /R]'))).toEqual([
      { ref: '1 0 R' },
      2,
      3,
      { ref: '4 0 R' },
      5,
      6,
      { name: 'R' },
    ]);
  });

  test('marks a key that stands in a dictionary twice, whatever its spelling, and keeps the first value', () => {
    const dict = parse('<< /Root 1 /R#6fot 2 /X 3 >>');
    expect(dict instanceof PdfDict && dict.duplicates).toEqual(['Root']);
    expect(dict instanceof PdfDict && dict.find('Root')).toBe(1);
  });

  test('keeps integers that a number can not hold as they are spelled', () => {
    expect(encode(parse('123456789012345678901234567890'))).toBe('123456789012345678901234567890');
  });

  test.each([
    ['<< /A 1', 'pdf_object_malformed'],
    ['[1 2', 'pdf_object_malformed'],
    ['(never closed', 'pdf_object_malformed'],
    ['(never closed\\', 'pdf_object_malformed'],
    ['<41', 'pdf_object_malformed'],
    ['<4x>', 'pdf_object_malformed'],
    ['<< 1 2 >>', 'pdf_object_malformed'],
    ['<< /A >>', 'pdf_object_malformed'],
    ['1.2x', 'pdf_object_malformed'],
    ['5f', 'pdf_object_malformed'],
    ['nonsense', 'pdf_object_malformed'],
    ['> 1', 'pdf_object_malformed'],
    [']', 'pdf_object_malformed'],
    ['}', 'pdf_object_malformed'],
    ['', 'pdf_object_malformed'],
    ['% only a comment', 'pdf_object_malformed'],
    ['['.repeat(limits.nesting + 1), 'pdf_limit_exceeded'],
    ['<< /A '.repeat(100_000), 'pdf_limit_exceeded'],
    [`/${'a'.repeat(limits.tokenLength + 1)}`, 'pdf_object_malformed'],
    ['1'.repeat(limits.tokenLength + 1), 'pdf_object_malformed'],
  ])('refuses what has no end, no sense or no bounds (%#)', (source, code) => {
    expect(codeOf(() => parse(source))).toBe(code);
  });

  test('stands as many brackets as the limit says', () => {
    expect(codeOf(() => parse('['.repeat(limits.nesting) + ']'.repeat(limits.nesting)))).toBe('nothing thrown');
  });

  test('bounds strings and the number of values of one object', () => {
    expect(codeOf(() => parse(`(${'x'.repeat(limits.stringLength + 1)})`))).toBe('pdf_limit_exceeded');
    expect(codeOf(() => parse(`<${'41'.repeat(limits.stringLength + 1)}>`))).toBe('pdf_limit_exceeded');
    expect(codeOf(() => parse(`[${'/ '.repeat(limits.objectValues + 1)}]`))).toBe('pdf_limit_exceeded');
  });
});

const bytes = fc.uint8Array({ maxLength: 40 });
const latin1 = fc.uint8Array({ maxLength: 12 }).map((name) => Buffer.from(name).toString('latin1'));
const { value: anyValue } = fc.letrec<{ value: PdfObject; array: PdfObject; dict: PdfObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => new PdfReal((n / 1000).toFixed(3))),
    latin1.map((name) => new PdfName(name)),
    fc.tuple(bytes, fc.boolean()).map(([content, hex]) => new PdfString(content, hex)),
    fc.tuple(fc.nat(8_388_607), fc.nat(65_535)).map(([number, generation]) => new PdfRef(number, generation)),
    tie('array'),
    tie('dict'),
  ),
  array: fc.array(tie('value'), { maxLength: 6 }),
  dict: fc
    .uniqueArray(fc.tuple(latin1, tie('value')), { maxLength: 6, selector: ([key]) => key })
    .map((entries) => new PdfDict(entries)),
}));

describe('the encoder', () => {
  test('writes what the parser reads back, for any value', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(plain(parse(encode(value)))).toEqual(plain(value));
      }),
      { numRuns: 500 },
    );
  });

  test('writes only printable bytes, so that no transport and no naive reader stumbles', () => {
    fc.assert(fc.property(anyValue, (value) => /^[\x20-\x7e]*$/.test(encode(value))));
  });
});

describe('any bytes', () => {
  test('are parsed or refused with a code, never anything else', () => {
    const soup = fc.array(
      fc.oneof(
        fc.constantFrom(
          '<<',
          '>>',
          '[',
          ']',
          '(',
          ')',
          '<',
          '>',
          '/',
          '\\',
          '%',
          '\r',
          '\n',
          ' ',
          'R',
          'null',
          '1 0 R',
          '#',
        ),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(soup, (parts) => {
        codeOf(() => parse(parts.join('')));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('text strings', () => {
  test.each(['plain', 'Größe', '日本語 🖋', 'þÿ looks like a mark', 'ï»¿ too', '€ and – need UTF-16', '', 'a\nb'])(
    'come back: %s',
    (text) => {
      expect(decodeTextString(encodeTextString(text))).toBe(text);
    },
  );

  test('are read in PDFDocEncoding, UTF-16 and UTF-8', () => {
    expect(decodeTextString(new PdfString(toBytes('\x80\x8d\xa0\x18')))).toBe('•“€˘');
    expect(decodeTextString(new PdfString(toBytes('\xfe\xff\x20\xac')))).toBe('€');
    expect(decodeTextString(new PdfString(toBytes('\xef\xbb\xbf\xe2\x82\xac')))).toBe('€');
  });
});
