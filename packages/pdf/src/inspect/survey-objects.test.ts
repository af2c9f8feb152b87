import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { isSigillumError } from '@sigillum/errors';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCorpus } from '../../fuzz/fuzz.ts';
import { openPdf } from '../document/open-pdf.ts';
import type { PdfDocument } from '../document/pdf-document.ts';
import { limits } from '../limits.ts';
import { isPdfArray, PdfDict, type PdfObject, PdfRef, PdfStream } from '../objects/pdf-object.ts';
import { createArraySource } from '../source/byte-source.ts';
import { ByteWindow } from '../source/byte-window.ts';
import { ObjectParser } from '../syntax/object-parser.ts';
import { surveyObjects } from './survey-objects.ts';
import { generations, listReferences } from './known-references.ts';
import { ValueSkimmer } from './value-skimmer.ts';

/** What the parser says: undefined when it refuses. */
function parse(bytes: Uint8Array): { value: PdfObject; end: number } | undefined {
  try {
    const parser = new ObjectParser(new ByteWindow(createArraySource(bytes)), 0);
    const value = parser.parse();
    return { value, end: parser.lexer.position };
  } catch (error) {
    if (isSigillumError(error)) return undefined;
    throw error;
  }
}

function hasKeyTwice(value: PdfObject): boolean {
  if (value instanceof PdfStream) return hasKeyTwice(value.dict);
  if (value instanceof PdfDict) {
    return value.duplicates.length > 0 || [...value.entries()].some(([, entry]) => hasKeyTwice(entry));
  }
  return isPdfArray(value) && value.some(hasKeyTwice);
}

const tokens = fc.constantFrom(
  ...'<< >> [ ] /A /A#42 /AB /Kids /Length /Contents /F /# /#4 / 1 0 R 12 0 R 70000 1.5 -3 +4 --1 1e-7 1.2.3 true false null nul'.split(
    ' ',
  ),
  '(a)',
  '(a(b)c)',
  '(\\))',
  '(\\(',
  '(a\\',
  '<41 4>',
  '<4g>',
  '<',
  '>',
  '{',
  '}',
  ')',
  '%c\n',
  '%c',
  '\r',
  '\0',
  'R',
  'obj',
  '99999999999999999999',
  '1 0 R/',
  '1 0 Rx',
);
const written = fc
  .array(fc.tuple(tokens, fc.constantFrom(' ', '', '\n', '%x\n')), { maxLength: 30 })
  .map((parts) => new Uint8Array(Buffer.from(parts.map(([token, space]) => token + space).join(''), 'latin1')));

/** Dictionaries mostly, so that the parser takes many of them. */
const nested: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      '1',
      '0',
      '5 0 R',
      '7 2 R',
      '/N',
      '(s)',
      '<41>',
      'true',
      '1 2',
      '5 0 R 6 0 R',
      '[]',
      '(a\\)b)',
      '%c\n3',
    ),
    fc.array(tie('value'), { maxLength: 4 }).map((values) => `[${values.join(' ')}]`),
    fc
      .array(fc.tuple(fc.constantFrom('A', 'B', 'Kids', 'Length', 'Contents', 'F', 'K#69ds', 'C', 'D'), tie('value')), {
        maxLength: 5,
      })
      .map((entries) => `<< ${entries.map(([key, value]) => `/${key} ${value}`).join(' ')} >>`),
  ),
})).value;

function agrees(bytes: Uint8Array): void {
  const parsed = parse(bytes);
  const skimmer = new ValueSkimmer();
  const end = skimmer.skim(bytes, 0, true);
  // what it takes, the parser takes, and up to the same byte; what it leaves to the parser it says
  if (end < 0) return;
  // the parser looks behind a number, for the rest of a reference
  if (parsed === undefined && skimmer.kind === 'integer') return;
  expect(parsed?.end).toBe(end);
  const value = parsed?.value ?? null;
  const found: number[] = [];
  for (let at = 0; at < skimmer.referenceCount; at += 2) {
    const number = skimmer.references[at] ?? -1;
    if (number >= 0) found.push(number * generations + (skimmer.references[at + 1] ?? 0));
  }
  // the parser keeps the first of two values of a key
  if (!skimmer.hasKeyTwice) {
    expect(found).toEqual(listReferences(value));
    expect(hasKeyTwice(value)).toBe(false);
  }
  expect(skimmer.kind === 'dictionary').toBe(value instanceof PdfDict);
  if (value instanceof PdfDict && !skimmer.hasKeyTwice) {
    expect(skimmer.hasKids).toBe(['Kids'].some((key) => [...value.entries()].some(([known]) => known === key)));
    const length = value.find('Length');
    expect(skimmer.length).toBe(typeof length === 'number' && length >= 0 ? length : -1);
    expect(skimmer.lengthIn).toBe(length instanceof PdfRef ? length.number : -1);
    const contents = value.find('Contents');
    const parts = isPdfArray(contents) ? contents : contents === undefined ? [] : [contents];
    const numbers = parts.flatMap((part) => (part instanceof PdfRef ? [part.number] : []));
    if (!skimmer.hasOddContents) expect(skimmer.contents.map((at) => skimmer.references[at])).toEqual(numbers);
  }
}

describe('a value that is skimmed', () => {
  test('is to the skimmer what it is to the parser, whatever the tokens', () => {
    fc.assert(
      fc.property(written, (bytes) => agrees(bytes)),
      { numRuns: 20_000 },
    );
  });

  test('and whatever is nested in it', () => {
    let taken = 0;
    fc.assert(
      fc.property(nested, (text) => {
        const bytes = new Uint8Array(Buffer.from(`${text} `, 'latin1'));
        agrees(bytes);
        if (new ValueSkimmer().skim(bytes, 0, true) >= 0) taken++;
      }),
      { numRuns: 20_000 },
    );
    // most of these are values
    expect(taken).toBeGreaterThan(10_000);
  });
});

/** What the strict reader finds, object by object: the numbers misplaced, and whether anything is unclear. */
function readAll(document: PdfDocument): { misplaced: number[]; hasDoubts: boolean } {
  const misplaced: number[] = [];
  let hasDoubts = false;
  const numbers = new Set(document.sections.flatMap((section) => [...section.numbers()]));
  for (const number of numbers) {
    const entry = document.findEntry(number);
    if (entry === undefined || entry.type === 'free' || (entry.type === 'plain' && entry.offset === 0)) continue;
    try {
      const value = document.get(new PdfRef(number, entry.type === 'plain' ? entry.generation : 0));
      if (hasKeyTwice(value)) hasDoubts = true;
      for (const reference of listReferences(value)) {
        const to = document.findEntry(Math.floor(reference / generations));
        if (to === undefined || to.type === 'free') hasDoubts = true;
      }
    } catch (error) {
      if (!isSigillumError(error)) throw error;
      if (error.code === 'pdf_object_misplaced' && entry.type === 'plain') misplaced.push(number);
      else hasDoubts = true;
    }
  }
  return { misplaced: misplaced.toSorted((a, b) => a - b), hasDoubts };
}

describe('a survey', () => {
  test('finds what the strict reader finds, in each file of the fuzzing corpus', () => {
    let [count, clear] = [0, 0];
    for (const { bytes } of readCorpus()) {
      let document: PdfDocument;
      try {
        document = openPdf(createArraySource(bytes));
      } catch (error) {
        if (isSigillumError(error)) continue;
        throw error;
      }
      const { misplaced, hasDoubts } = readAll(document);
      const survey = surveyObjects(openPdf(createArraySource(bytes)));
      expect([...survey.misplaced].toSorted((a, b) => a - b)).toEqual(misplaced);
      if (hasDoubts) expect(survey.isClear).toBe(false);
      count++;
      if (survey.isClear) clear++;
    }
    expect(count).toBeGreaterThan(10);
    expect(clear).toBeGreaterThan(5);
  });

  test('of objects that lie in any order reads the file about once', () => {
    const numbers = Array.from({ length: 2000 }, (_, index) => 10 + ((index * 7919) % 2000));
    const bytes = makePdf(numbers.map((number) => [number, `<< /A (${'x'.repeat(100)}) >>`]));
    const whole = createArraySource(bytes);
    let read = 0;
    const document = openPdf({
      size: whole.size,
      read: (offset, length) => {
        read += length;
        return whole.read(offset, length);
      },
    });
    read = 0;
    const survey = surveyObjects(document);
    expect(survey.kindOf(10)).toBe('dictionary');
    expect(read).toBeLessThan(3 * bytes.length);
  });

  test('asks the strict reader about so many objects with the same value twice and no more: beyond them nothing is clear', () => {
    const same = (count: number): Uint8Array =>
      makePdf(Array.from({ length: count }, (_, index) => [10 + index, '<< /A 1 /A 1 >>']));
    const few = surveyObjects(openPdf(createArraySource(same(limits.surveyedDoubts))));
    const many = surveyObjects(openPdf(createArraySource(same(limits.surveyedDoubts + 1))));
    expect([few.isClear, many.isClear]).toEqual([true, false]);
  });

  test('of object streams that decode to much leaves the document what it may cost itself', () => {
    const [count, size] = [40, 1_000_000];
    const head = Array.from({ length: count }, (_, index) => `${100 + index} ${index * size}`).join(' ');
    // deflated to a fiftieth: what shrinks more is taken for an attack
    const noise = createHash('shake256', { outputLength: 10_000 }).update('noise').digest('hex');
    const text = `${head}\n${`(${noise}${'x'.repeat(size - noise.length - 2)})`.repeat(count)}`;
    const data = deflateSync(Buffer.from(text)).toString('latin1');
    const dict = `<< /Type /ObjStm /N ${count} /First ${head.length + 1} /Filter /FlateDecode /Length ${data.length} >>`;
    const padding = `<< /Length ${size} >>\nstream\n${'y'.repeat(size)}\nendstream`;
    const container = `${dict}\nstream\n${data}\nendstream`;
    const objects = [
      [50, container],
      [51, padding],
    ] as const;
    const bytes = makePdf(objects, { container: 50, first: 100, count });
    const document = openPdf(createArraySource(bytes));
    expect(bytes.length).toBeLessThan(4_000_000);
    expect(surveyObjects(document).isClear).toBe(true);
    const stream = document.get(new PdfRef(50, 0));
    expect(stream instanceof PdfStream && document.readStream(stream).length).toBe(text.length);
  });

  test.each([
    ['strings', '('],
    ['dictionaries', '<</A'],
  ])('of %s in an object stream that go on to its end takes no more work than others', (_, opening) => {
    const count = 100;
    const head = Array.from({ length: count }, (_, index) => `${100 + index} ${index * opening.length}`).join(' ');
    const text = `${head}\n${opening.repeat(count)}(${'x'.repeat(4_000_000)}`;
    const data = deflateSync(Buffer.from(text)).toString('latin1');
    const first = head.length + 1;
    const dict = `<< /Type /ObjStm /N ${count} /First ${first} /Filter /FlateDecode /Length ${data.length} >>`;
    const container = `${dict}\nstream\n${data}\nendstream`;
    const bytes = makePdf([[50, container]], { container: 50, first: 100, count });
    expect(() => surveyObjects(openPdf(createArraySource(bytes)))).toThrow(
      expect.objectContaining({ code: 'pdf_limit_exceeded' }),
    );
  });
});

/** Objects in the order given, and a catalog; with a cross-reference stream, which may list objects in an object stream. */
function makePdf(
  objects: readonly (readonly [number, string])[],
  inside?: { container: number; first: number; count: number },
): Uint8Array {
  let text = '%PDF-1.7\n';
  const entries: number[][] = [];
  for (const [number, body] of [[1, '<< /Type /Catalog >>'] as const, ...objects]) {
    entries.push([number, 1, text.length, 0]);
    text += `${number} 0 obj\n${body}\nendobj\n`;
  }
  const { container = 0, first = 0, count = 0 } = inside ?? {};
  for (let index = 0; index < count; index++) entries.push([first + index, 2, container, index]);
  const data = Buffer.alloc(entries.length * 7);
  entries.sort(([a = 0], [b = 0]) => a - b);
  for (const [at, [, type = 0, place = 0, index = 0]] of entries.entries()) {
    data.writeUInt8(type, at * 7);
    data.writeUInt32BE(place, at * 7 + 1);
    data.writeUInt16BE(index, at * 7 + 5);
  }
  const listed = entries.map(([number]) => `${number} 1`).join(' ');
  const dict = `<< /Type /XRef /Size 9000 /Root 1 0 R /W [1 4 2] /Index [${listed}] /Length ${data.length} >>`;
  const start = text.length;
  text += `9001 0 obj\n${dict}\nstream\n${data.toString('latin1')}\nendstream\nendobj\n`;
  return new Uint8Array(Buffer.from(`${text}startxref\n${start}\n%%EOF\n`, 'latin1'));
}
