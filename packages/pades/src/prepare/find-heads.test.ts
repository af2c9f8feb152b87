import { createArraySource, openPdf } from '@sigillum/pdf';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertNothingRevived } from './assert-nothing-revived.ts';
import { chooseField } from './choose-field.ts';
import type { FieldLock } from './field-lock.ts';
import { findHeads } from './find-heads.ts';

const toBytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const search = (text: string) => [...findHeads(createArraySource(toBytes(text)))];
const mega = 1024 * 1024;

/** What a search by a pattern finds: the same, but slowly. */
function searchByPattern(text: string) {
  return [...text.matchAll(/(?<!\d)(\d+)[\s\0]+(\d+)[\s\0]+obj/g)].map(({ 1: number, 2: generation, index }) => ({
    number: Number(number),
    generation: Number(generation),
    offset: index,
  }));
}

describe('heads of objects', () => {
  test('are found as a pattern finds them', () => {
    const piece = fc.constantFrom(
      '1',
      '0',
      '12',
      ' ',
      '\n',
      '\0',
      'obj',
      'o',
      'bj',
      'endobj',
      '<<',
      'R',
      '00',
      '\u00a0',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        expect(search(text)).toEqual(searchByPattern(text));
      }),
      { numRuns: 5000 },
    );
  });

  test.each([1, 3, 5, 7, 9, 11])('are found across what is read at a time, %d bytes before its end', (before) => {
    const text = `${' '.repeat(mega - before)}17 0 obj <<`;
    expect(search(text)).toEqual([{ number: 17, generation: 0, offset: mega - before }]);
  });

  test('behind megabytes of zeros, as signatures have them, are found; with megabytes in them they are not guessed', () => {
    expect(search(`<${'0'.repeat(5 * mega)}>\n7 0 obj`)).toEqual([{ number: 7, generation: 0, offset: 5 * mega + 3 }]);
    expect(() => search(`7 0${' '.repeat(3 * mega)}obj`)).toThrow(
      expect.objectContaining({ code: 'pdf_limit_exceeded' }),
    );
    expect(() => search(`7 ${'0'.repeat(3 * mega)} obj`)).toThrow(
      expect.objectContaining({ code: 'pdf_limit_exceeded' }),
    );
  });

  test('are searched for in so many bytes, and so many of them, that it takes a second', () => {
    const empty = new Uint8Array(mega);
    const huge = { size: 300 * mega, read: () => empty };
    expect(() => [...findHeads(huge)]).toThrow(expect.objectContaining({ code: 'pdf_limit_exceeded' }));
    const file = Buffer.concat([
      Buffer.from('%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n'),
      Buffer.alloc(4_200_000 * 8, '0 0 obj\n'),
    ]);
    const end = `xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<< /Size 2 /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`;
    const document = openPdf(createArraySource(Buffer.concat([file, Buffer.from(end)])));
    expect(() => assertNothingRevived(document)).toThrow(expect.objectContaining({ code: 'pdf_limit_exceeded' }));
  });
});

describe('the name of a new field', () => {
  const document = openPdf(
    createArraySource(
      toBytes(
        '%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\nxref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<< /Size 2 /Root 1 0 R >>\nstartxref\n45\n%%EOF\n',
      ),
    ),
  );
  const choose = (locks: readonly FieldLock[]) => chooseField(document, undefined, [], locks).name;
  const numbered = (count: number) => Array.from({ length: count }, (_, index) => `Signature${index + 1}`);
  const lock = (action: FieldLock['action'], names: readonly string[]): FieldLock => ({
    action,
    names,
    level: undefined,
  });

  test('is found among a hundred thousand locked ones at once', () => {
    expect(choose([lock('Include', numbered(100_000))])).toBe('Signature100001');
    expect(choose([lock('Include', numbered(50_000)), lock('Exclude', ['Signature50001'])])).toBe('Signature50001');
    expect(() =>
      choose([
        lock(
          'Exclude',
          numbered(100_000).map((name) => `x.${name}`),
        ),
      ]),
    ).toThrow(expect.objectContaining({ code: 'fieldmdp_forbids_field' }));
  }, 20_000);

  test('is none that a lock holds for by what is above it', () => {
    expect(choose([lock('Include', ['Signature1', 'Signature2.a'])])).toBe('Signature2');
    expect(() => choose([lock('All', [])])).toThrow(expect.objectContaining({ code: 'fieldmdp_forbids_field' }));
  });
});
