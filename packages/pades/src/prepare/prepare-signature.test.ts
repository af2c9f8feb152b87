import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DigestName } from '@sigillum/algorithms';
import { isSigillumError } from '@sigillum/errors';
import {
  type ByteSource,
  createArraySource,
  decodeTextString,
  findFirstPage,
  isPdfArray,
  listFormFields,
  openPdf,
  PdfDict,
  PdfName,
  PdfRef,
  PdfStream,
  PdfString,
  readAcroForm,
} from '@sigillum/pdf';
import fc from 'fast-check';
import { embedContents } from './embed-contents.ts';
import { type PrepareOptions, prepareSignature } from './prepare-signature.ts';
import type { PreparedSignature } from './prepared-signature.ts';

const toBytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

type Bodies = Record<number, string>;

const simple: Bodies = {
  1: '<< /Type /Catalog /Pages 2 0 R >>',
  2: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
  3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>',
};

function makePdf(bodies: Bodies, header = '%PDF-1.7\n'): Uint8Array {
  let text = header;
  let table = 'xref\n0 1\n0000000000 65535 f \n';
  for (const [number, body] of Object.entries(bodies)) {
    table += `${number} 1\n${String(text.length).padStart(10, '0')} 00000 n \n`;
    text += `${number} 0 obj\n${body}\nendobj\n`;
  }
  const size = Math.max(...Object.keys(bodies).map(Number)) + 1;
  return toBytes(`${text}${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`);
}

/** A document with fields and one signature dictionary as object 9. */
function makeSigned(signature: string, more: { field?: string; catalog?: string } = {}): Uint8Array {
  return makePdf({
    ...simple,
    1: `<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [8 0 R] /SigFlags 3 >> ${more.catalog ?? ''} >>`,
    8: `<< /FT /Sig /T (Signature1) /V 9 0 R ${more.field ?? ''} >>`,
    9: `<< /Type /Sig /Filter /Adobe.PPKLite ${signature} >>`,
  });
}

const reference = (method: string, parameters: string): string =>
  `/Reference [<< /TransformMethod /${method} /TransformParams << ${parameters} >> >>]`;

const random = (length: number): Uint8Array => new Uint8Array(length).fill(9);
const signingTime = new Date('2026-11-22T03:04:05.678Z');

function prepare(
  input: Uint8Array,
  options: Partial<PrepareOptions> = {},
  algorithm: DigestName = 'sha256',
  source: ByteSource = createArraySource(input),
): PreparedSignature {
  const midState = createHash(algorithm).update(input);
  const prefixHash = {
    algorithm,
    finish(parts: readonly Uint8Array[]): Uint8Array {
      const hash = midState.copy();
      for (const part of parts) hash.update(part);
      return hash.digest();
    },
  };
  return prepareSignature({ source, prefixHash }, { signingTime, contentsSize: 64, ...options }, random);
}

const join2 = (input: Uint8Array, increment: Uint8Array): Uint8Array => Uint8Array.from([...input, ...increment]);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isSigillumError(error)) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

const prepareCode = (input: Uint8Array, options: Partial<PrepareOptions> = {}): string =>
  codeOf(() => prepare(input, options));

/** Numbers of the objects that an increment writes. */
const listObjects = ({ increment }: PreparedSignature): number[] =>
  [...toText(increment).matchAll(/^(\d+) \d+ obj$/gm)].map((match) => Number(match[1]));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigillum-prepare-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function save(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function qpdf(input: Uint8Array, ...options: string[]): Uint8Array {
  const output = join(folder, 'out.pdf');
  execFileSync('qpdf', [...options, save('in.pdf', input), output]);
  return new Uint8Array(readFileSync(output));
}

/** The signature dictionary behind a field of a document. */
function readSignature(bytes: Uint8Array, name: string): PdfDict {
  const document = openPdf(createArraySource(bytes));
  const field = listFormFields(document).find((candidate) => candidate.name === name);
  return document.getDict(field?.value, 'The signature');
}

function textOf(dict: PdfDict, key: string): string {
  const value = dict.find(key);
  return value instanceof PdfString ? decodeTextString(value) : 'not a string';
}

const inputs: readonly (readonly [string, () => Uint8Array])[] = [
  ['a classic file', () => makePdf(simple)],
  ['a file with object streams', () => qpdf(makePdf(simple), '--object-streams=generate')],
  ['a linearized file', () => qpdf(makePdf(simple), '--linearize')],
  ['a file that ends without a line end', () => toBytes(toText(makePdf(simple)).trimEnd())],
  ['a file with junk after its end', () => toBytes(`${toText(makePdf(simple))}junk`)],
  [
    'a file with a form',
    () =>
      makePdf({
        ...simple,
        1: '<< /Pages 2 0 R /AcroForm 4 0 R >>',
        4: '<< /Fields [5 0 R] /DA (/F 0 Tf) >>',
        5: '<< /FT /Tx /T (a) >>',
      }),
  ],
  [
    'a file that is already prepared once',
    () => {
      const input = makePdf(simple);
      return join2(input, prepare(input).increment);
    },
  ],
];

describe('a prepared signature', () => {
  test.each(inputs)('of %s covers everything but <hex>', (_, make) => {
    const input = make();
    const prepared = prepare(input, { contentsSize: 1000 });
    const file = join2(input, prepared.increment);
    const [zero, before, after, rest] = prepared.byteRange;
    expect(zero).toBe(0);
    expect(after + rest).toBe(file.length);
    expect(before).toBe(prepared.contentsOffset);
    expect(toText(file.subarray(before, after))).toBe(`<${'00'.repeat(1000)}>`);
    const covered = createHash('sha256').update(file.subarray(0, before)).update(file.subarray(after));
    expect(toText(prepared.digest)).toBe(toText(covered.digest()));
    expect(readSignature(file, prepared.fieldName).find('ByteRange')).toEqual([0, before, after, rest]);
    // junk after the end is the only thing that qpdf may dislike, in the input
    expect(spawnSync('qpdf', ['--check', save('check.pdf', file)]).status).toBe(0);
  });

  test('has the dictionary of a PAdES baseline signature: direct values, no /Cert', () => {
    const input = makePdf(simple);
    const options = { reason: 'Freigabe', location: 'Zürich', contactInfo: 'seal@example.org', name: '日本 AG' };
    const { increment, fieldName } = prepare(input, options);
    const dict = readSignature(join2(input, increment), fieldName);
    const keys = [...dict.entries()].map(([key]) => key);
    expect(keys).toEqual([
      'Type',
      'Filter',
      'SubFilter',
      'ByteRange',
      'Contents',
      'M',
      'Name',
      'Reason',
      'Location',
      'ContactInfo',
    ]);
    expect(dict.find('Type')).toEqual(new PdfName('Sig'));
    expect(dict.find('Filter')).toEqual(new PdfName('Adobe.PPKLite'));
    expect(dict.find('SubFilter')).toEqual(new PdfName('ETSI.CAdES.detached'));
    expect(textOf(dict, 'M')).toBe("D:20261122030405+00'00'");
    expect(['Name', 'Reason', 'Location', 'ContactInfo'].map((key) => textOf(dict, key))).toEqual([
      '日本 AG',
      'Freigabe',
      'Zürich',
      'seal@example.org',
    ]);
    expect([...dict.entries()].some(([, value]) => value instanceof PdfRef)).toBe(false);
    const short = prepare(input);
    const bare = readSignature(join2(input, short.increment), short.fieldName);
    expect([...bare.entries()].map(([key]) => key)).toEqual([
      'Type',
      'Filter',
      'SubFilter',
      'ByteRange',
      'Contents',
      'M',
    ]);
  });

  test('has an invisible field on the first page', () => {
    const input = makePdf(simple);
    const { increment, fieldName } = prepare(input);
    const document = openPdf(createArraySource(join2(input, increment)));
    const field = listFormFields(document)[0];
    expect(fieldName).toBe('Signature1');
    expect(field?.type).toBe('Sig');
    expect(field?.dict.find('Rect')).toEqual([0, 0, 0, 0]);
    expect(field?.dict.find('F')).toBe(132);
    expect(field?.dict.find('Subtype')).toEqual(new PdfName('Widget'));
    expect(String(field?.dict.find('P'))).toBe('3 0 R');
    expect(readAcroForm(document)?.sigFlags).toBe(3);
    expect(String(findFirstPage(document).dict.find('Annots'))).toBe(String(field?.ref));
  });

  // veraPDF, ISO 19005-1 §6.9: a sealed PDF/A-1 was none any more
  test('gives the field an appearance that shows nothing', () => {
    const input = makePdf(simple);
    const document = openPdf(createArraySource(join2(input, prepare(input).increment)));
    const appearances = listFormFields(document)[0]?.dict.find('AP');
    const normal = appearances instanceof PdfDict ? document.resolve(appearances.find('N') ?? null) : null;
    if (!(normal instanceof PdfStream)) throw new Error('the field has no appearance');
    expect(normal.dict.find('Subtype')).toEqual(new PdfName('Form'));
    expect(normal.dict.find('BBox')).toEqual([0, 0, 0, 0]);
    expect(document.readStream(normal)).toEqual(new Uint8Array());
  });

  test('is frozen, the same for the same input, and follows the digest asked for', () => {
    const input = makePdf(simple);
    const prepared = prepare(input, {}, 'sha384');
    expect(Object.isFrozen(prepared) && Object.isFrozen(prepared.byteRange)).toBe(true);
    expect([prepared.digestAlgorithm, prepared.digest.length]).toEqual(['sha384', 48]);
    expect(toText(prepare(input).increment)).toBe(toText(prepare(input).increment));
  });

  test('touches kilobytes of a large file', () => {
    const input = makePdf({ ...simple, 4: `<< /Length 9000000 >>\nstream\n${'x'.repeat(9_000_000)}\nendstream` });
    const array = createArraySource(input);
    let touched = 0;
    const source: ByteSource = {
      size: array.size,
      read(offset, length) {
        touched += length;
        return array.read(offset, length);
      },
    };
    prepare(input, {}, 'sha256', source);
    expect(touched).toBeLessThan(32 * 1024);
  });
});

describe('only what must change is written again', () => {
  const form = (acroForm: string, more: Bodies = {}): Bodies => ({
    ...simple,
    1: `<< /Type /Catalog /Pages 2 0 R /AcroForm ${acroForm} >>`,
    ...more,
  });
  const withAnnots = (bodies: Bodies): Bodies => ({
    ...bodies,
    3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Annots 7 0 R >>',
    7: '[6 0 R]',
    6: '<< /Type /Annot /Subtype /Text /Rect [0 0 1 1] >>',
  });

  test.each<[string, Bodies, number[]]>([
    // besides the signature (first new number), its field and appearance: page 3, catalog 1, form, arrays
    ['no form', simple, [1, 3, 4, 5, 6, 7]],
    ['a direct form', form('<< /Fields [] >>'), [1, 3, 4, 5, 6]],
    ['a form of its own', form('5 0 R', { 5: '<< /Fields [] >>' }), [3, 5, 6, 7, 8]],
    ['fields of their own', form('5 0 R', { 5: '<< /Fields 9 0 R >>', 9: '[]' }), [3, 5, 9, 10, 11, 12]],
    [
      'fields of their own and flags already set',
      form('5 0 R', { 5: '<< /Fields 9 0 R /SigFlags 3 >>', 9: '[]' }),
      [3, 9, 10, 11, 12],
    ],
    [
      'annotations of their own',
      withAnnots(form('5 0 R', { 5: '<< /Fields 9 0 R /SigFlags 3 >>', 9: '[]' })),
      [3, 9, 10, 11, 12],
    ],
    ['an AcroForm that is null', form('null'), [1, 3, 4, 5, 6, 7]],
    ['an AcroForm that is an array', form('[]'), [1, 3, 4, 5, 6, 7]],
    ['/Fields that are a name', form('5 0 R', { 5: '<< /Fields /None /SigFlags /x >>' }), [3, 5, 6, 7, 8]],
    ['an own /Fields that is a name', form('<< /Fields 5 0 R >>', { 5: '/None' }), [1, 3, 6, 7, 8]],
    ['a /Fields that is not there', form('<< /Fields 55 0 R >>'), [1, 3, 55, 56, 57, 58]],
  ])('%s', (_, bodies, objects) => {
    const input = makePdf(bodies);
    const prepared = prepare(input);
    expect(listObjects(prepared)).toEqual(objects);
    const document = openPdf(createArraySource(join2(input, prepared.increment)));
    const { dict } = findFirstPage(document);
    const annotations = document.find(dict, 'Annots');
    const field = listFormFields(document).at(-1)?.ref;
    expect(isPdfArray(annotations) && String(annotations.at(-1))).toBe(String(field));
    expect(readAcroForm(document)?.sigFlags).toBe(3);
  });

  test('and what stood there stays', () => {
    const input = makePdf(
      withAnnots(form('<< /Fields [5 0 R] /DA (/F#20x 1.50 Tf) >>', { 5: '<< /T (a) /FT /Tx >>' })),
    );
    const document = openPdf(createArraySource(join2(input, prepare(input).increment)));
    const acroForm = readAcroForm(document);
    expect(acroForm?.fields.map(String)).toEqual(['5 0 R', '9 0 R']);
    expect(acroForm?.dict.find('DA')).toEqual(new PdfString(toBytes('/F#20x 1.50 Tf')));
    expect(String(document.find(findFirstPage(document).dict, 'Annots'))).toBe('6 0 R,9 0 R');
    expect(document.catalog.find('Type')).toEqual(new PdfName('Catalog'));
  });

  test.each<[string, Bodies, string]>([
    ['/Annots of another type', { ...simple, 3: '<< /Type /Page /Annots (x) >>' }, 'pdf_type_wrong'],
    ['an AcroForm that is a stream', form('5 0 R', { 5: '<< /Length 0 >>\nstream\n\nendstream' }), 'pdf_type_wrong'],
    ['a page with a key twice', { ...simple, 3: '<< /Type /Page /Annots [] /Annots [null] >>' }, 'pdf_key_duplicate'],
  ])('refusing %s', (_, bodies, code) => {
    expect(prepareCode(makePdf(bodies))).toBe(code);
  });
});

describe('the name of the field', () => {
  const withFields = (...names: string[]): Uint8Array =>
    makePdf({
      ...simple,
      1: `<< /Pages 2 0 R /AcroForm << /Fields [${names.map((name) => `<< /T (${name}) >>`).join(' ')}] >> >>`,
    });

  test('is the first that is free', () => {
    expect(prepare(withFields('Signature1', 'Signature3')).fieldName).toBe('Signature2');
  });

  test('is the one asked for, unless it is taken', () => {
    expect(prepare(withFields('a'), { fieldName: 'Größe' }).fieldName).toBe('Größe');
    expect(prepareCode(withFields('a'), { fieldName: 'a' })).toBe('pades_field_exists');
  });
});

describe('what earlier signatures say', () => {
  const perms = '/Perms << /DocMDP 9 0 R >>';

  test.each<[string, Uint8Array, string]>([
    ['P=1 forbids every change', makeSigned(reference('DocMDP', '/P 1'), { catalog: perms }), 'docmdp_forbids_changes'],
    ['P=1 counts without /Perms', makeSigned(reference('DocMDP', '/P 1')), 'docmdp_forbids_changes'],
    [
      'P=1 counts when only /Perms knows the signature',
      makePdf({ ...simple, 1: `<< /Pages 2 0 R ${perms} >>`, 9: `<< ${reference('DocMDP', '/P 1')} >>` }),
      'docmdp_forbids_changes',
    ],
    ['P=2 allows a signature', makeSigned(reference('DocMDP', '/P 2'), { catalog: perms }), 'nothing thrown'],
    ['P=3 allows a signature', makeSigned(reference('DocMDP', '/P 3'), { catalog: perms }), 'nothing thrown'],
    ['no P is 2', makeSigned(reference('DocMDP', ''), { catalog: perms }), 'nothing thrown'],
    ['another P is refused', makeSigned(reference('DocMDP', '/P 0')), 'pdf_type_wrong'],
    ['a P of another type is refused', makeSigned(reference('DocMDP', '/P (1)')), 'pdf_type_wrong'],
    [
      'the lock of a signed field may forbid every change',
      makeSigned('', { field: '/Lock << /Action /Include /Fields [] /P 1 >>' }),
      'docmdp_forbids_changes',
    ],
    [
      'a lock of all fields forbids a new one',
      makeSigned(reference('FieldMDP', '/Action /All')),
      'fieldmdp_forbids_field',
    ],
    [
      'a lock of all but some forbids a new one',
      makeSigned(reference('FieldMDP', '/Action /Exclude /Fields [(x)]')),
      'fieldmdp_forbids_field',
    ],
    [
      'a lock of some allows another',
      makeSigned(reference('FieldMDP', '/Action /Include /Fields [(x)]')),
      'nothing thrown',
    ],
    [
      'the lock of a signed field counts',
      makeSigned('', { field: '/Lock << /Action /All >>' }),
      'fieldmdp_forbids_field',
    ],
    ['a lock without action is refused', makeSigned(reference('FieldMDP', '/Fields [(x)]')), 'pdf_type_wrong'],
    ['a ByteRange within the file is fine', makeSigned('/ByteRange [0 10 20 30]'), 'nothing thrown'],
    ['a ByteRange past the end is refused', makeSigned('/ByteRange [0 10 20 99999]'), 'pades_byte_range_past_end'],
    ['also when its first part does it', makeSigned('/ByteRange [0 99999 20 30]'), 'pades_byte_range_past_end'],
    ['a ByteRange of another type is refused', makeSigned('/ByteRange [0 (10) 20 30]'), 'pdf_type_wrong'],
    ['a broken signature does not stop a new one', makeSigned('/Contents <30ff>'), 'nothing thrown'],
    [
      'a signature with a key twice is refused',
      makeSigned('/ByteRange [0 1 2 3] /ByteRange [0 1 2 4]'),
      'pdf_key_duplicate',
    ],
    [
      'what is no dictionary is a signature to nobody',
      makePdf({ ...simple, 1: '<< /Pages 2 0 R /AcroForm << /Fields [<< /FT /Sig /T (s) /V (x) >>] >> >>' }),
      'nothing thrown',
    ],
    [
      'an authentication code is not broken',
      // every offset is before the trailer
      Buffer.from(
        Buffer.from(makePdf(simple)).toString('latin1').replace('<< /Size', '<< /AuthCode << >> /Size'),
        'latin1',
      ),
      'pdf_encryption_unknown',
    ],
  ])('%s', (_, input, code) => {
    expect(prepareCode(input)).toBe(code);
  });

  test('a name that a lock leaves open may be taken', () => {
    const excluding = makeSigned(reference('FieldMDP', '/Action /Exclude /Fields [(open)]'));
    expect(prepare(excluding, { fieldName: 'open' }).fieldName).toBe('open');
    const including = makeSigned(reference('FieldMDP', '/Action /Include /Fields [(Signature2)]'));
    expect(prepare(including).fieldName).toBe('Signature3');
    expect(prepareCode(including, { fieldName: 'Signature2' })).toBe('fieldmdp_forbids_field');
  });
});

describe('refusing', () => {
  test('a file with bytes before its header', () => {
    expect(prepareCode(toBytes(`\n${toText(makePdf(simple))}`))).toBe('pades_header_misplaced');
    expect(prepareCode(makePdf(simple, 'x%PDF-1.7\n'))).toBe('pades_header_misplaced');
  });

  test.each<[string, Partial<PrepareOptions>, string]>([
    ['a reason that is too long', { reason: 'x'.repeat(1025) }, '/reason'],
    ['a location with control characters', { location: 'a\0b' }, '/location'],
    ['a contact that is no Unicode', { contactInfo: '\ud800' }, '/contact_info'],
    ['a name that is too long', { name: 'x'.repeat(1025) }, '/name'],
    ['an empty field name', { fieldName: '' }, '/field'],
    ['a field name with a period', { fieldName: 'a.b' }, '/field'],
    ['a field name that is too long', { fieldName: 'x'.repeat(2049) }, '/field'],
    ['a time that is none', { signingTime: new Date(Number.NaN) }, '/signing_time'],
    ['no room', { contentsSize: 0 }, '/contents_size'],
    ['too much room', { contentsSize: 2 ** 21 }, '/contents_size'],
  ])('%s', (_, options, pointer) => {
    let fields: readonly { pointer: string }[] = [];
    try {
      prepare(makePdf(simple), options);
    } catch (error) {
      if (isSigillumError(error, 'pades_option_invalid')) fields = error.fields;
    }
    expect(fields.map((field) => field.pointer)).toEqual([pointer]);
  });

  test('or preparing, but never anything else, for any damage', () => {
    const sources = [
      makeSigned(
        `/ByteRange [0 1 2 3] ${reference('DocMDP', '/P 2')} ${reference('FieldMDP', '/Action /Include /Fields [(x)]')}`,
      ),
      makePdf(simple),
    ].map(toText);
    const piece = fc.constantFrom(
      '0',
      '9',
      '<<',
      '>>',
      '[',
      '(',
      '/',
      ' R',
      '99999999999',
      '-1',
      ' null ',
      '/Kids',
      '/P',
    );
    const mutation = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(4), piece);
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (source, mutations) => {
          let text = source;
          for (const [place, removed, inserted] of mutations) {
            const at = Math.floor(place * text.length);
            // same length, so that most offsets still hold
            text =
              text.slice(0, at) +
              inserted.padEnd(removed).slice(0, text.length - at) +
              text.slice(at + Math.max(removed, inserted.length));
          }
          prepareCode(toBytes(text));
        },
      ),
      { numRuns: 1500 },
    );
  });
});

describe('embedding the CMS', () => {
  test('puts hex into the placeholder and changes nothing else', () => {
    const input = makePdf(simple);
    const prepared = prepare(input);
    const before = toText(prepared.increment);
    const increment = toText(embedContents(prepared, toBytes('\x30\x03abc')));
    const at = prepared.contentsOffset - input.length;
    expect(increment.slice(at, at + 14)).toBe('<3003616263000');
    expect(increment.length).toBe(before.length);
    expect(increment.slice(0, at)).toBe(before.slice(0, at));
    expect(increment.slice(at + 11)).toBe(before.slice(at + 11));
    expect(toText(prepared.increment)).toBe(before);
  });

  test('takes what just fits and refuses one byte more', () => {
    const prepared = prepare(makePdf(simple));
    expect(toText(embedContents(prepared, new Uint8Array(64).fill(255)))).toContain(`<${'ff'.repeat(64)}>`);
    expect(codeOf(() => embedContents(prepared, new Uint8Array(65)))).toBe('pades_contents_overflow');
  });

  const hasPdfsig = spawnSync('pdfsig', ['-v']).error === undefined;
  (hasPdfsig ? test : test.skip)('gives a file that pdfsig finds intact, signed three times over', () => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        key,
        '-out',
        certificate,
        '-subj',
        '/CN=Test',
        '-days',
        '2',
      ],
      { stdio: 'ignore' },
    );
    for (const make of [
      () => makePdf(simple),
      () => qpdf(makePdf(simple), '--object-streams=generate', '--linearize'),
    ]) {
      let file = make();
      for (let round = 0; round < 3; round++) {
        const prepared = prepare(file, { contentsSize: 4096 });
        const sealed = join2(file, prepared.increment);
        const [, before, after] = prepared.byteRange;
        const content = save('content', Uint8Array.from([...sealed.subarray(0, before), ...sealed.subarray(after)]));
        const cms = execFileSync('openssl', [
          'cms',
          '-sign',
          '-binary',
          '-cades',
          '-md',
          'sha256',
          '-outform',
          'DER',
          '-signer',
          certificate,
          '-inkey',
          key,
          '-in',
          content,
        ]);
        file = join2(file, embedContents(prepared, new Uint8Array(cms)));
      }
      const said = execFileSync('pdfsig', ['-nocert', save('sealed.pdf', file)]).toString();
      expect(said.match(/Signature is Valid/g)).toHaveLength(3);
      expect(said.match(/Signature Type: ETSI.CAdES.detached/g)).toHaveLength(3);
      expect(said).toContain('Total document signed');
      expect(spawnSync('qpdf', ['--check', join(folder, 'sealed.pdf')]).status).toBe(0);
    }
  });
});
