import { isSigillumError } from '@sigillum/errors';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCorpus } from '../../fuzz/fuzz.ts';
import { openPdf } from '../document/open-pdf.ts';
import type { PdfDocument } from '../document/pdf-document.ts';
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
});
