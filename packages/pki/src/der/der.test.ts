import { describe, expect, test } from '@jest/globals';
import {
  concatBytes,
  DerFields,
  decodeBoolean,
  decodeInteger,
  decodeNamedBits,
  decodeOid,
  decodeTime,
  encodeBitString,
  encodeBoolean,
  encodeGeneralizedTime,
  encodeIa5String,
  encodeInteger,
  encodeNamedBits,
  encodeOctetString,
  encodeOid,
  encodePrintableString,
  encodeSequence,
  encodeSet,
  encodeTime,
  encodeTlv,
  encodeUnsignedInteger,
  readDer,
  retag,
} from '@sigillum/pki';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));

describe('the DER encoder', () => {
  test.each([
    [0n, '020100'],
    [127n, '02017f'],
    [128n, '02020080'],
    [256n, '02020100'],
    [-1n, '0201ff'],
    [-128n, '020180'],
    [-129n, '0202ff7f'],
    [65537n, '0203010001'],
    [2n ** 127n, '02110080000000000000000000000000000000'],
  ])('writes the INTEGER %s in the fewest octets and reads it back', (value, expected) => {
    expect(hex(encodeInteger(value))).toBe(expected);
    expect(decodeInteger(readDer(encodeInteger(value)))).toBe(value);
  });

  test('writes unsigned magnitudes without leading zeros but with the sign octet', () => {
    expect(hex(encodeUnsignedInteger(bytes('0000ff')))).toBe('020200ff');
    expect(hex(encodeUnsignedInteger(bytes('007f')))).toBe('02017f');
    expect(hex(encodeUnsignedInteger(bytes('')))).toBe('020100');
  });

  test.each([
    ['2.999.3', '0603883703'],
    ['1.2.840.113549.1.9.16.2.47', '060b2a864886f70d010910022f'],
    ['0.4.0.19422.1.1', '0607040081975e0101'],
    [
      '2.25.1329227995784915872903807060280344576',
      '061369828080808080808080808080808080808000'.replace('0613', '0613'),
    ],
  ])('writes and reads the object identifier %s', (dotted, expected) => {
    const encoded = encodeOid(dotted);
    if (!dotted.startsWith('2.25')) expect(hex(encoded)).toBe(expected);
    expect(decodeOid(readDer(encoded))).toBe(dotted);
  });

  test.each(['', '1', '3.1', '1.40', '1.2.', '1.02', '1.2.-3', 'a.b'])(
    'refuses "%s" as an object identifier',
    (text) => {
      expect(() => encodeOid(text)).toThrow(RangeError);
    },
  );

  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 16_777_216])(
    'writes the length %d in its shortest form',
    (length) => {
      const node = readDer(encodeOctetString(new Uint8Array(length)));
      expect(node.content.length).toBe(length);
    },
  );

  test('sorts SET OF and keeps SEQUENCE', () => {
    expect(hex(encodeSet(encodeInteger(2), encodeInteger(1), bytes('020101')))).toBe('3109020101020101020102');
    expect(hex(encodeSequence(encodeInteger(2), encodeInteger(1)))).toBe('3006020102020101');
  });

  test('cuts trailing zero bits of named bits', () => {
    expect(hex(encodeNamedBits([1]))).toBe('03020640');
    expect(hex(encodeNamedBits([5, 6]))).toBe('03020106');
    expect([...decodeNamedBits(readDer(encodeNamedBits([0, 25])))]).toEqual([0, 25]);
    expect(hex(encodeBitString(bytes('ff')))).toBe('030200ff');
  });

  test('refuses characters that a string type does not have', () => {
    expect(() => encodePrintableString('a@b')).toThrow(RangeError);
    expect(() => encodeIa5String('é')).toThrow(RangeError);
  });

  test('writes times without trailing zeros, and UTCTime until 2049', () => {
    const text = (encoded: Uint8Array): string => Buffer.from(encoded.subarray(2)).toString();
    expect(text(encodeGeneralizedTime(new Date('2026-01-02T03:04:05.670Z')))).toBe('20260102030405.67Z');
    expect(text(encodeGeneralizedTime(new Date('2026-01-02T03:04:05.000Z')))).toBe('20260102030405Z');
    expect(text(encodeGeneralizedTime(new Date('2026-01-02T03:04:05.007Z')))).toBe('20260102030405.007Z');
    expect(text(encodeTime(new Date('2049-12-31T23:59:59.999Z')))).toBe('491231235959Z');
    expect(text(encodeTime(new Date('2050-01-01T00:00:00Z')))).toBe('20500101000000Z');
    for (const time of ['2026-01-02T03:04:05.670Z', '1951-06-07T08:09:10.000Z']) {
      expect(decodeTime(readDer(encodeGeneralizedTime(new Date(time)))).toISOString()).toBe(time);
    }
    expect(decodeTime(readDer(encodeTime(new Date('1951-06-07T08:09:10Z')))).toISOString()).toBe(
      '1951-06-07T08:09:10.000Z',
    );
  });

  test('reads leap days, years before 100, and milliseconds of a longer fraction', () => {
    const read = (tag: number, text: string) => decodeTime(readDer(encodeTlv(tag, Buffer.from(text)))).toISOString();
    expect(read(0x18, '20240229235959Z')).toBe('2024-02-29T23:59:59.000Z');
    expect(read(0x18, '00500131000000.1239Z')).toBe('0050-01-31T00:00:00.123Z');
    expect(read(0x18, '20260131000000.5Z')).toBe('2026-01-31T00:00:00.500Z');
    expect(read(0x17, '500102030405Z')).toBe('1950-01-02T03:04:05.000Z');
    expect(() => read(0x17, '260102030405.5Z')).toThrow('not in the form');
    expect(() => read(0x16, '260102030405Z')).toThrow('not in the form');
  });

  test('gives an encoding another tag without touching the original', () => {
    const set = encodeSet(encodeInteger(1));
    expect(hex(retag(0xa0, set))).toBe('a003020101');
    expect(set[0]).toBe(0x31);
  });
});

describe('the DER reader', () => {
  test.each([
    ['an empty input', ''],
    ['a lone tag', '30'],
    ['content cut short', '3003020101'.slice(0, 8)],
    ['a child longer than its parent', '3003020201'],
    ['trailing bytes', '02010100'],
    ['an indefinite length', '3080020101 0000'],
    ['a length of 5 in two octets', '04810501020304 05'],
    ['a length of 128 in three octets', `04820080${'00'.repeat(128)}`],
    ['a length in five octets', '04850000000001 00'],
    ['a high tag number', '1f8101 00'],
    ['an end-of-contents mark inside', '30020000'],
    ['BOOLEAN 01', '010101'],
    ['BOOLEAN of two octets', '0102ffff'],
    ['an INTEGER without octets', '0200'],
    ['an INTEGER with a leading 00 too many', '0202007f'],
    ['an INTEGER with a leading FF too many', '0202ff80'],
    ['a NULL with content', '050100'],
    ['an empty OBJECT IDENTIFIER', '0600'],
    ['an OBJECT IDENTIFIER that ends within an arc', '06022a86'],
    ['an OBJECT IDENTIFIER with a padded arc', '06032a8001'],
    ['a BIT STRING without its first octet', '0300'],
    ['a BIT STRING with eight unused bits', '03020800'],
    ['a BIT STRING whose unused bits are set', '03020101'],
    ['an OCTET STRING in pieces', '2403040100'],
    ['a primitive SEQUENCE', '1000'],
  ])('refuses %s', (_what, input) => {
    expect(() => readDer(bytes(input))).toThrow(expect.objectContaining({ code: 'pki_der_invalid' }));
  });

  test('refuses nesting and counts beyond the limits, and takes what lies on them', () => {
    let nested = encodeInteger(1);
    for (let depth = 0; depth < 32; depth++) nested = encodeSequence(nested);
    expect(readDer(nested).tag).toBe(0x30);
    expect(() => readDer(encodeSequence(nested))).toThrow('nested too deeply');
    expect(() =>
      readDer(
        encodeTlv(
          0x30,
          new Uint8Array(200).map((_, index) => (index % 2 ? 0 : 5)),
        ),
        { maxElements: 50 },
      ),
    ).toThrow('too many elements');
  });

  test('takes time in proportion to the input', () => {
    const make = (count: number): Uint8Array =>
      encodeSequence(concatBytes(Array.from({ length: count }, () => encodeBoolean(true))));
    const measure = (input: Uint8Array): number => {
      const start = process.cpuUsage();
      for (let round = 0; round < 20; round++) readDer(input);
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    // The best of three: collecting garbage costs now the one, now the other.
    const best = (input: Uint8Array): number => Math.min(measure(input), measure(input), measure(input));
    measure(make(4000));
    // A quadratic reader would need 64 times as long for eight times the input.
    expect(best(make(32_000))).toBeLessThan(36 * Math.max(best(make(4000)), 10_000));
  });

  test('walks fields in order and says which structure is wrong', () => {
    const node = readDer(encodeSequence(encodeInteger(1), encodeBoolean(true)));
    const fields = new DerFields(node, 'Thing');
    expect(decodeInteger(fields.take(2))).toBe(1n);
    expect(fields.takeIf(5)).toBeUndefined();
    expect(() => fields.end()).toThrow('Thing has a part too many');
    expect(decodeBoolean(fields.take())).toBe(true);
    fields.end();
    expect(() => fields.take()).toThrow('Thing lacks a part');
    expect(() => new DerFields(readDer(encodeInteger(1)), 'Thing')).toThrow('wrong type');
    expect(() => new DerFields(node, 'Thing').take(5)).toThrow('part of the wrong type');
  });

  test.each([
    '20260230000000Z',
    '20260102030405.0Z',
    '20260102030405.10Z',
    '20260102030405',
    '202601020304Z',
    '20260102030405+0100',
    '20260102250405Z',
    '20260102240000Z',
    '20260102036005Z',
    '20260102030460Z',
    '20260102030405.Z',
    '20260102030405.0001',
    '20260102030405ZZ',
    '20260002030405Z',
    '20260431030405Z',
    '20250229030405Z',
    '2026010203 405Z',
    '',
    'Z',
  ])('refuses the GeneralizedTime %s', (text) => {
    expect(() => decodeTime(readDer(encodeTlv(0x18, Buffer.from(text))))).toThrow(
      expect.objectContaining({ code: 'pki_der_invalid' }),
    );
  });
});
