import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isSigillumError } from '@sigillum/errors';
import fc from 'fast-check';
import {
  type ByteSource,
  countPages,
  createArraySource,
  findFirstPage,
  findPage,
  getPage,
  IncrementalUpdate,
  isPdfArray,
  listFormFields,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  PdfPlaceholder,
  PdfRef,
  PdfStream,
  PdfString,
  readPageBoxes,
} from './index.ts';
import { limits } from './limits.ts';

// ---------- a builder of files, in latin1 text, that can do wrong what it is told to

const toBytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const open = (text: string): PdfDocument => openPdf(createArraySource(toBytes(text)));

type Bodies = Record<number, string>;
type Layout = { offsets: Map<number, number>; text: string };

const simple: Bodies = {
  1: '<< /Type /Catalog /Pages 2 0 R >>',
  2: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
  3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>',
};

function layOut(before: string, bodies: Bodies, generation = 0): Layout {
  const offsets = new Map<number, number>();
  let text = before;
  for (const [number, body] of Object.entries(bodies)) {
    offsets.set(Number(number), text.length);
    text += `${number} ${generation} obj\n${body}\nendobj\n`;
  }
  return { offsets, text };
}

function entry(offset: number, end: string, generation = 0): string {
  return `${String(offset).padStart(10, '0')} ${String(generation).padStart(5, '0')} n${end}`;
}

/** A table with a subsection for each run of numbers. */
function table(offsets: Map<number, number>, end: string, generation = 0, head = '0 1'): string {
  let text = `xref\n${head}\n0000000000 65535 f${end}`;
  for (const [number, offset] of offsets) text += `${number} 1\n${entry(offset, end, generation)}`;
  return text;
}

type ClassicOptions = { end?: string; trailer?: string; header?: string; generation?: number; before?: string };

function classic(bodies: Bodies, options: ClassicOptions = {}): string {
  const { end = ' \n', trailer = '', header = '%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', generation = 0, before = '' } = options;
  const { offsets, text } = layOut(header, bodies, generation);
  const size = [...offsets.keys()].reduce((most, number) => Math.max(most, number), 0) + 1;
  const root = trailer.includes('/Root') ? '' : `/Root 1 ${generation} R`;
  return `${text}${before}${table(offsets, end, generation)}trailer\n<< /Size ${size} ${root} ${trailer} >>\nstartxref\n${text.length}\n%%EOF\n`;
}

function lastStartxref(text: string): number {
  return Number(/startxref\s+(\d+)\s+%%EOF[^]*?$/.exec(text.slice(text.lastIndexOf('startxref')))?.[1]);
}

function appendedSize(bodies: Bodies): number {
  return Math.max(3, ...Object.keys(bodies).map(Number)) + 1;
}

function appendClassic(text: string, bodies: Bodies, trailer = ''): string {
  const { offsets, text: grown } = layOut(text, bodies);
  return `${grown}${table(offsets, ' \n')}trailer\n<< /Size ${appendedSize(bodies)} /Root 1 0 R /Prev ${lastStartxref(text)} ${trailer} >>\nstartxref\n${grown.length}\n%%EOF\n`;
}

type Row = readonly [type: number, second: number, third: number];

function field(value: number, width: number): string {
  let text = '';
  for (let i = width - 1; i >= 0; i--) text += String.fromCharCode(Math.floor(value / 256 ** i) & 0xff);
  return text;
}

function upPredict(data: string, row: number): string {
  let text = '';
  for (let at = 0; at < data.length; at += row) {
    text += '\x02';
    for (let i = 0; i < row; i++) {
      text += String.fromCharCode((data.charCodeAt(at + i) - (at === 0 ? 0 : data.charCodeAt(at + i - row))) & 0xff);
    }
  }
  return text;
}

const deflate = (text: string): string => toText(deflateSync(toBytes(text)));

/** An xref stream as an object of its own; rows are those of the numbers given. */
function xrefStream(
  number: number,
  rows: Map<number, Row>,
  extra: string,
  how: 'raw' | 'flate' | 'predicted' = 'predicted',
): string {
  const widths = [1, 3, 2] as const;
  let data = [...rows.values()].map((row) => row.map((value, i) => field(value, widths[i] ?? 0)).join('')).join('');
  let filter = '';
  if (how === 'predicted') {
    data = deflate(upPredict(data, 6));
    filter = '/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 6 >>';
  } else if (how === 'flate') {
    data = deflate(data);
    filter = '/Filter [/FlateDecode]';
  }
  const index = [...rows.keys()].map((key) => `${key} 1`).join(' ');
  return `${number} 0 obj\n<< /Type /XRef /W [1 3 2] /Index [${index}] /Length ${data.length} ${filter} ${extra} >>\nstream\n${data}\nendstream\nendobj\n`;
}

function objectStream(bodies: Bodies, extra = ''): string {
  let head = '';
  let content = '';
  for (const [number, body] of Object.entries(bodies)) {
    head += `${number} ${content.length} `;
    content += `${body} `;
  }
  const data = deflate(head + content);
  return `<< /Type /ObjStm /N ${Object.keys(bodies).length} /First ${head.length} /Filter /FlateDecode /Length ${extra || data.length} >>\nstream\n${data}\nendstream`;
}

/** Everything but the catalog in an object stream. */
function compressed(how: 'raw' | 'flate' | 'predicted' = 'predicted', bodies: Bodies = simple): string {
  const { 1: catalog, ...others } = bodies;
  const { offsets, text } = layOut('%PDF-1.5\n', { 1: catalog ?? '', 10: objectStream(others) });
  const rows = new Map<number, Row>([[0, [0, 0, 65_535]]]);
  for (const [number, offset] of offsets) rows.set(number, [1, offset, 0]);
  for (const [index, number] of Object.keys(others).entries()) rows.set(Number(number), [2, 10, index]);
  rows.set(11, [1, text.length, 0]);
  return `${text}${xrefStream(11, rows, '/Size 12 /Root 1 0 R', how)}startxref\n${text.length}\n%%EOF\n`;
}

/** The pages are known only through XRefStm; a reader of PDF 1.4 sees them as free. */
function hybrid(extra = ''): string {
  const { 1: catalog, ...others } = simple;
  const { offsets, text } = layOut('%PDF-1.4\n', { 1: catalog ?? '', 10: objectStream(others) });
  const rows = new Map<number, Row>(Object.keys(others).map((number, index) => [Number(number), [2, 10, index]]));
  rows.set(10, [1, offsets.get(10) ?? 0, 0]);
  rows.set(11, [1, text.length, 0]);
  const body = `${text}${xrefStream(11, rows, `/Size 12 ${extra}`)}`;
  const free = '0000000000 00000 f \n';
  const entries = `0 4\n0000000000 65535 f \n${entry(offsets.get(1) ?? 0, ' \n')}${free}${free}`;
  return `${body}xref\n${entries}trailer\n<< /Size 12 /Root 1 0 R /XRefStm ${text.length} >>\nstartxref\n${body.length}\n%%EOF\n`;
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

/** Everything that a seal reads. */
function readAll(document: PdfDocument): void {
  findFirstPage(document);
  listFormFields(document);
}

const readCode = (text: string): string => codeOf(() => readAll(open(text)));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigillum-pdf-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function qpdf(text: string, ...options: string[]): string {
  const [input, output] = [join(folder, 'in.pdf'), join(folder, 'out.pdf')];
  writeFileSync(input, toBytes(text));
  execFileSync('qpdf', [...options, input, output]);
  return toText(readFileSync(output));
}

/** qpdf's exit code: 0 no complaint, 3 warnings, 2 errors. */
function qpdfCheck(bytes: Uint8Array): number | null {
  const input = join(folder, 'check.pdf');
  writeFileSync(input, bytes);
  return spawnSync('qpdf', ['--check', input]).status;
}

const kinds: readonly (readonly [string, () => string])[] = [
  ['a classic table', () => classic(simple)],
  ['an xref stream and object streams', () => compressed()],
  ['an xref stream that is not compressed', () => compressed('raw')],
  ['an xref stream without predictor', () => compressed('flate')],
  ['a hybrid file', () => hybrid()],
  ['a linearized file', () => qpdf(classic(simple), '--linearize')],
  ['a linearized file with object streams', () => qpdf(classic(simple), '--linearize', '--object-streams=generate')],
  ['several updates', () => appendClassic(appendClassic(classic(simple), { 3: simple[3] ?? '' }), { 4: '(new)' })],
  [
    'a table with an update as a stream',
    () => {
      const text = classic(simple);
      const rows = new Map<number, Row>([[7, [1, text.length, 0]]]);
      return `${text}${xrefStream(7, rows, `/Size 8 /Root 1 0 R /Prev ${lastStartxref(text)}`)}startxref\n${text.length}\n%%EOF\n`;
    },
  ],
];

describe('reading', () => {
  test.each(kinds)('finds the first page of %s', (_, make) => {
    const { dict } = findFirstPage(open(make()));
    expect(dict.find('MediaBox')).toBeDefined();
  });

  test.each([
    ['LF alone', '\n'],
    ['CR alone', '\r'],
    ['CR LF', '\r\n'],
    ['space and CR', ' \r'],
    ['three bytes', ' \r\n'],
    ['a lot of space', '    \n\n'],
  ])('takes table entries that end with %s', (_, end) => {
    expect(readCode(classic(simple, { end }))).toBe('nothing thrown');
  });

  test('takes short numbers in table entries, and one subsection for all', () => {
    const { offsets, text } = layOut('%PDF-1.7\n', simple);
    const entries = [1, 2, 3].map((number) => `${offsets.get(number)} 0 n\n`).join('');
    const file = `${text}xref\n0 4\n0 65535 f\n${entries}trailer << /Size 4 /Root 1 0 R >>\nstartxref ${text.length}`;
    expect(readCode(file)).toBe('nothing thrown');
  });

  test('numbers from 0 a first subsection that says 1 but begins with the head of the free list', () => {
    const { offsets, text } = layOut('%PDF-1.7\n', simple);
    const entries = [1, 2, 3].map((number) => entry(offsets.get(number) ?? 0, ' \n')).join('');
    const file = `${text}xref\n1 4\n0000000000 65535 f \n${entries}trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF`;
    expect(readCode(file)).toBe('nothing thrown');
  });

  test('takes white space and comments before the table, a wrong /Size and a missing %%EOF', () => {
    const text = classic(simple, { before: ' \n% a comment\n' });
    const start = text.lastIndexOf('startxref');
    expect(readCode(text)).toBe('nothing thrown');
    expect(readCode(text.slice(0, start).replace('/Size 4', '/Size 2') + text.slice(start))).toBe('nothing thrown');
    expect(readCode(text.replace('%%EOF\n', ''))).toBe('nothing thrown');
  });

  test('takes /Prev 0 as the end of the chain', () => {
    expect(readCode(classic(simple, { trailer: '/Prev 0' }))).toBe('nothing thrown');
  });

  test('takes junk after the last %%EOF up to what readers search, and padding beyond', () => {
    expect(readCode(`${classic(simple)}${'<html>junk'.repeat(100)}`)).toBe('nothing thrown');
    expect(readCode(`${classic(simple)}${'\0'.repeat(50_000)}`)).toBe('nothing thrown');
    expect(readCode(`${classic(simple)}${'<html>junk'.repeat(300)}`)).toBe('pdf_startxref_missing');
  });

  test('reads offsets that count from the header or from the start of the file, and tells where the header is', () => {
    const shifted = open(`junk\n${classic(simple)}`);
    expect(shifted.header).toEqual({ offset: 5, version: '1.7' });
    expect(shifted.base).toBe(5);
    readAll(shifted);
    const absolute = open(classic(simple, { header: 'junk\n%PDF-1.7\n' }));
    expect(absolute.base).toBe(0);
    readAll(absolute);
    expect(readCode(`${'x'.repeat(1030)}${classic(simple)}`)).toBe('pdf_header_missing');
  });

  test('takes what the xref shows and nothing else: a second definition in the body does not exist', () => {
    const hidden = '3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 666 666] >>\nendobj\n';
    expect(findFirstPage(open(classic(simple, { header: `%PDF-1.7\n${hidden}` }))).dict.find('MediaBox')).toEqual([
      0, 0, 200, 100,
    ]);
  });

  test('lets the newest section win, also over an object in an object stream', () => {
    const newer = '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 7 7] >>';
    for (const text of [classic(simple), hybrid(), compressed()]) {
      expect(findFirstPage(open(appendClassic(text, { 3: newer }))).dict.find('MediaBox')).toEqual([0, 0, 7, 7]);
    }
  });

  test('gives null for free, deleted and unknown objects', () => {
    const text = classic({ ...simple, 5: '(five)' });
    const start = text.length;
    const deleted = `${text}xref\n5 1\n0000000000 00001 f \ntrailer\n<< /Size 6 /Root 1 0 R /Prev ${lastStartxref(text)} >>\nstartxref\n${start}\n%%EOF`;
    expect(open(text).get(new PdfRef(5))).toBeInstanceOf(PdfString);
    expect(open(deleted).get(new PdfRef(5))).toBeNull();
    expect(open(deleted).get(new PdfRef(0))).toBeNull();
    expect(open(deleted).get(new PdfRef(4711))).toBeNull();
  });

  test('reads an object stream whose length is an object of its own, with no line end before endstream', () => {
    const data = deflate('2 0 3 42 << /Type /Pages /Kids [3 0 R] /Count 1 >> << /Type /Page /Parent 2 0 R >>');
    const { offsets, text } = layOut('%PDF-1.5\n', {
      1: simple[1] ?? '',
      8: `<< /Type /ObjStm /N 2 /First 9 /Filter /FlateDecode /Length 9 0 R >>\nstream\r\n${data}endstream`,
      9: String(data.length),
    });
    const rows = new Map<number, Row>([...offsets].map(([number, offset]) => [number, [1, offset, 0]]));
    rows.set(2, [2, 8, 0]).set(3, [2, 8, 1]).set(10, [1, text.length, 0]);
    expect(readCode(`${text}${xrefStream(10, rows, '/Size 11 /Root 1 0 R')}startxref\n${text.length}\n%%EOF`)).toBe(
      'nothing thrown',
    );
  });

  test('finds the first page behind empty and inner nodes of the tree', () => {
    const { ref } = findFirstPage(
      open(
        classic({
          1: '<< /Type /Catalog /Pages 2 0 R >>',
          2: '<< /Type /Pages /Kids 8 0 R >>',
          3: '<< /Type /Pages /Kids [] >>',
          4: '<< /Type /Pages /Kids [5 0 R 6 0 R] >>',
          5: '<< /Type /Page >>',
          6: '<< /Type /Page >>',
          8: '[3 0 R 4 0 R]',
        }),
      ),
    );
    expect(ref.number).toBe(5);
  });

  test('lists form fields with their full names, inherited types and values', () => {
    const document = open(
      classic({
        ...simple,
        1: '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields 4 0 R >> >>',
        4: '[5 0 R 8 0 R 5 0 R null (no field) 9 0 R 77 0 R]',
        5: '<< /T (group) /FT /Sig /V 9 0 R /Kids [6 0 R 7 0 R << /T (direct) >>] >>',
        6: '<< /T <FEFF00E4> /Kids [7 0 R] >>',
        7: '<< /Type /Annot /Subtype /Widget >>',
        8: '<< /T (text) /FT /Tx >>',
        9: '/NoField',
      }),
    );
    expect(listFormFields(document).map(({ name, type, value }) => [name, type, String(value)])).toEqual([
      ['group', 'Sig', '9 0 R'],
      ['group.ä', 'Sig', '9 0 R'],
      ['group.direct', 'Sig', '9 0 R'],
      ['text', 'Tx', 'undefined'],
    ]);
  });

  test.each([
    ['a form that is no dictionary', '[]', []],
    ['fields that are no array', '<< /Fields /None /SigFlags true >>', []],
    ['a stream that says nothing of a field', '<< /Fields [4 0 R] >>', []],
    ['kids that are no array', '<< /Fields [<< /T (a) /Kids 5 >>] >>', ['a']],
    ['a name that is no string', '<< /Fields [<< /T /a /Kids [<< /T (b) >>] >>] >>', ['', 'b']],
  ])('takes %s for none, as all readers do', (_, form, names) => {
    const catalog = `<< /Type /Catalog /Pages 2 0 R /AcroForm ${form} >>`;
    const document = open(classic({ ...simple, 1: catalog, 4: '<< /Length 0 >>\nstream\n\nendstream' }));
    expect(listFormFields(document).map(({ name }) => name)).toEqual(names);
  });
});

describe('refusing', () => {
  const good = classic(simple);
  const bomb = toText(deflateSync(new Uint8Array(limits.decodedLength + 1)));
  const emptyStream = '<< /Length 0 >>\nstream\n\nendstream';
  const formed = (form: string, more: Bodies = {}): string =>
    classic({ ...simple, 1: `<< /Type /Catalog /Pages 2 0 R /AcroForm ${form} >>`, ...more });
  const rawXref = (dict: string, data: string): string => {
    const { text } = layOut('%PDF-1.5\n', simple);
    return `${text}9 0 obj\n<< /Type /XRef /Length ${data.length} ${dict} >>\nstream\n${data}\nendstream\nendobj\nstartxref\n${text.length}\n%%EOF`;
  };

  test.each<[string, string, string]>([
    ['an empty file', '', 'pdf_header_missing'],
    ['one byte', 'x', 'pdf_header_missing'],
    ['a file without header', good.slice(9), 'pdf_header_missing'],
    ['a header alone', '%PDF-1.7', 'pdf_startxref_missing'],
    ['a file cut off', good.slice(0, good.lastIndexOf('startxref')), 'pdf_startxref_missing'],
    ['startxref without a number', good.replace(/startxref\n\d+/, 'startxref\n'), 'pdf_startxref_missing'],
    ['startxref that points nowhere', good.replace(/startxref\n\d+/, 'startxref\n99999999'), 'pdf_xref_damaged'],
    ['startxref at something else', good.replace(/startxref\n\d+/, 'startxref\n9'), 'pdf_xref_damaged'],
    ['an xref without trailer', good.replace('trailer\n', 'trailor\n'), 'pdf_xref_damaged'],
    ['a trailer that is no dictionary', good.replace(/trailer\n<<[^]*?>>/, 'trailer\n[]'), 'pdf_xref_damaged'],
    ['a malformed table entry', good.replace('00000 n', '00000 x'), 'pdf_xref_damaged'],
    ['more entries than the file has room for', good.replace('xref\n0 1', 'xref\n0 9999'), 'pdf_xref_damaged'],
    [
      'a subsection beyond the highest object number',
      good.replace('xref\n0 1', 'xref\n0 99999999'),
      'pdf_limit_exceeded',
    ],
    ['an object listed twice in one section', good.replace('\n3 1\n', '\n2 1\n'), 'pdf_xref_damaged'],
    ['a chain that leads back', classic(simple, { trailer: `/Prev ${lastStartxref(good)}` }), 'pdf_xref_loop'],
    ['/Prev that points nowhere', classic(simple, { trailer: '/Prev 12' }), 'pdf_xref_damaged'],
    ['/Prev of another type', classic(simple, { trailer: '/Prev (1)' }), 'pdf_type_wrong'],
    ['a negative /Prev', classic(simple, { trailer: '/Prev -1' }), 'pdf_type_wrong'],
    ['an offset that misses', good.replace(/(\n2 1\n)\d{10}/, '$10000000020'), 'pdf_object_misplaced'],
    ['an offset after the end', good.replace(/(\n2 1\n)\d{10}/, '$19999999999'), 'pdf_object_misplaced'],
    ['an offset of another object', good.replace('\n2 0 obj', '\n7 0 obj'), 'pdf_object_misplaced'],
    ['another generation in the object', good.replace('\n2 0 obj', '\n2 1 obj'), 'pdf_object_misplaced'],
    ['another generation in the reference', good.replace('/Pages 2 0 R', '/Pages 2 1 R'), 'pdf_object_misplaced'],
    ['an object without endobj', good.replace('endobj\n2', 'endxxx\n2'), 'pdf_object_malformed'],
    ['two values in one object', good.replace('/Count 1 >>', '>> /Count 1'), 'pdf_object_malformed'],
    ['encryption', classic(simple, { trailer: '/Encrypt << >>' }), 'pdf_encryption_damaged'],
    [
      'encryption dropped by an update',
      appendClassic(classic(simple, { trailer: '/Encrypt 9 0 R' }), {}),
      'pdf_encryption_damaged',
    ],
    ['encryption in the stream of a hybrid file', hybrid('/Encrypt << >>'), 'pdf_encryption_damaged'],
    ['no /Root', classic(simple, { trailer: '/Root null' }), 'pdf_type_wrong'],
    ['a direct /Root', classic(simple, { trailer: '/Root << >>' }), 'pdf_type_wrong'],
    ['a /Root that is not there', classic(simple, { trailer: '/Root 77 0 R' }), 'pdf_type_wrong'],
    ['a /Root of another type', classic(simple, { trailer: '/Root 2 0 R' }), 'pdf_type_wrong'],
    ['two /Root', classic(simple, { trailer: '/Root 1 0 R /Root 2 0 R' }), 'pdf_key_duplicate'],
    ['two /Pages', classic({ ...simple, 1: '<< /Pages 2 0 R /P#61ges 3 0 R >>' }), 'pdf_key_duplicate'],
    ['two /Fields', formed('<< /Fields [] /Fields [3 0 R] >>'), 'pdf_key_duplicate'],
    ['two /V in a field', formed('<< /Fields [4 0 R] >>', { 4: '<< /T (a) /V 1 /V 2 >>' }), 'pdf_key_duplicate'],
    ['an AcroForm that is a stream', formed('5 0 R', { 5: emptyStream }), 'pdf_type_wrong'],
    [
      'a field that is a stream',
      formed('<< /Fields [5 0 R] >>', { 5: emptyStream.replace('<<', '<< /FT /Sig') }),
      'pdf_type_wrong',
    ],
    ['/FT of another type', formed('<< /Fields [<< /FT (Sig) >>] >>'), 'pdf_type_wrong'],
    ['a file without pages', good.replace('[3 0 R]', '[     ]'), 'pdf_page_missing'],
    ['a page that is not there', good.replace('[3 0 R]', '[4 0 R]'), 'pdf_type_wrong'],
    ['a direct page', classic({ ...simple, 2: '<< /Type /Pages /Kids [<< /Type /Page >>] >>' }), 'pdf_type_wrong'],
    ['a page tree that leads back', good.replace('[3 0 R]', '[2 0 R]'), 'pdf_reference_loop'],
    [
      'references in a circle',
      classic({ ...simple, 1: '<< /Pages 2 0 R /AcroForm 4 0 R >>', 4: '5 0 R', 5: '4 0 R' }),
      'pdf_reference_loop',
    ],
    ['an xref stream with a bad width', rawXref('/W [1 9 1] /Size 1', '\0'.repeat(11)), 'pdf_xref_damaged'],
    ['an xref stream with widths of 0', rawXref('/W [0 0 0] /Size 8000000', ''), 'pdf_xref_damaged'],
    ['an xref stream that is too short', rawXref('/W [1 2 1] /Size 4', '\0\0\0\0'), 'pdf_xref_damaged'],
    ['an xref stream with half an index', rawXref('/W [1 2 1] /Size 1 /Index [0]', '\0\0\0\0'), 'pdf_xref_damaged'],
    [
      'an xref stream beyond the highest number',
      rawXref('/W [1 2 1] /Size 99999999', '\0\0\0\0'),
      'pdf_limit_exceeded',
    ],
    [
      'an xref stream with an indirect filter',
      rawXref('/W [1 2 1] /Size 1 /Filter 3 0 R', '\0\0\0\0'),
      'pdf_xref_damaged',
    ],
    [
      'an xref stream with another filter',
      rawXref('/W [1 2 1] /Size 1 /Filter /DCTDecode', '\0\0\0\0'),
      'pdf_filter_unsupported',
    ],
    [
      'an xref stream with filters without end',
      rawXref('/W [1 2 1] /Size 1 /Filter [/Fl /Fl /Fl /Fl /Fl]', ''),
      'pdf_filter_unsupported',
    ],
    [
      'an xref stream that is not zlib',
      rawXref('/W [1 2 1] /Size 1 /Filter /FlateDecode', 'nonsense'),
      'pdf_stream_damaged',
    ],
    ['an xref stream in another file', rawXref('/W [1 2 1] /Size 1 /F (x)', '\0\0\0\0'), 'pdf_filter_unsupported'],
    [
      'a wrong stream length',
      compressed('raw').replace(/\/Length \d+ {2}\/Size/, '/Length 3  /Size'),
      'pdf_stream_damaged',
    ],
    ['a bomb', rawXref('/W [1 2 1] /Size 1 /Filter /FlateDecode', bomb), 'pdf_limit_exceeded'],
  ])('%s', (_, text, code) => {
    expect(readCode(text)).toBe(code);
  });

  test.each<[string, (text: string) => string, string]>([
    ['an object stream of another type', (text) => text.replace('/ObjStm', '/ObjXxx'), 'pdf_type_wrong'],
    ['an object stream with fewer objects', (text) => text.replace('/N 2', '/N 0'), 'pdf_object_misplaced'],
    ['an object stream with more objects', (text) => text.replace('/N 2', '/N 9'), 'pdf_stream_damaged'],
    ['an object stream that ends early', (text) => text.replace('/First 9', '/First 1'), 'pdf_stream_damaged'],
  ])('%s', (_, change, code) => {
    const text = compressed();
    expect(change(text)).not.toBe(text);
    const moved = change(text);
    // what changed in length moved the xref stream
    const delta = moved.length - text.length;
    expect(delta).toBe(0);
    expect(readCode(moved)).toBe(code);
  });

  test('an object stream that holds another object at the place', () => {
    const { 1: catalog, ...others } = simple;
    const { offsets, text } = layOut('%PDF-1.5\n', { 1: catalog ?? '', 8: objectStream(others) });
    const rows = new Map<number, Row>([...offsets].map(([number, offset]) => [number, [1, offset, 0]]));
    rows.set(2, [2, 8, 1]).set(3, [2, 8, 0]).set(9, [1, text.length, 0]);
    const file = `${text}${xrefStream(9, rows, '/Size 10 /Root 1 0 R')}startxref\n${text.length}\n%%EOF`;
    expect(readCode(file)).toBe('pdf_object_misplaced');
  });

  test('an object stream that lies in itself, and a length that lies in its own stream', () => {
    const self = layOut('%PDF-1.5\n', { 1: simple[1] ?? '' });
    const inItself = new Map<number, Row>([
      [1, [1, 9, 0]],
      [2, [2, 2, 0]],
      [4, [1, self.text.length, 0]],
    ]);
    const file = `${self.text}${xrefStream(4, inItself, '/Size 5 /Root 1 0 R')}startxref\n${self.text.length}\n%%EOF`;
    expect(readCode(file)).toBe('pdf_object_misplaced');
    const { offsets, text } = layOut('%PDF-1.5\n', {
      1: simple[1] ?? '',
      8: objectStream({ 2: '1', 9: '5' }, '9 0 R'),
    });
    const rows = new Map<number, Row>([...offsets].map(([number, offset]) => [number, [1, offset, 0]]));
    rows.set(2, [2, 8, 0]).set(9, [2, 8, 1]).set(10, [1, text.length, 0]);
    const looping = `${text}${xrefStream(10, rows, '/Size 11 /Root 1 0 R')}startxref\n${text.length}\n%%EOF`;
    expect(readCode(looping)).toBe('pdf_reference_loop');
  });

  test('more sections than any writer makes', () => {
    let text = classic(simple);
    for (let i = 0; i <= limits.xrefSections; i++) {
      text += `xref\ntrailer<</Root 1 0 R/Prev ${lastStartxref(text.slice(-80))}>>\nstartxref\n${text.length}\n%%EOF\n`;
    }
    expect(readCode(text)).toBe('pdf_limit_exceeded');
  });

  test('xref streams that decode to more than a machine should keep', () => {
    const zeros = deflate('\0'.repeat(60 * 1024 * 1024));
    const data =
      zeros + '\0'.repeat(Math.ceil((60 * 1024 * 1024) / limits.inflateRatio) - Math.min(zeros.length, 200_000));
    let text = '%PDF-1.5\n';
    for (let i = 0; i < 6; i++) {
      const prev = i === 0 ? '' : `/Prev ${lastStartxref(text.slice(-80))}`;
      const start = text.length;
      text += `9 0 obj\n<< /Type /XRef /W [1 2 1] /Index [] /Size 1 /Root 1 0 R /Length ${data.length} /Filter /FlateDecode ${prev} >>\nstream\n${data}\nendstream\nendobj\nstartxref\n${start}\n%%EOF\n`;
    }
    expect(() => open(text)).toThrow(/cross-reference streams of the PDF decode/);
  });

  test('more than the limits say of fields, of nodes before the first page, of characters in a name, of values', () => {
    expect(readCode(formed(`<< /Fields [${'<<>> '.repeat(limits.formFields + 1)}] >>`))).toBe('pdf_limit_exceeded');
    const half = 'x'.repeat(limits.fieldName / 2);
    const named = `<< /T (${half}) /Kids [<< /T (${half}) >>] >>`;
    expect(readCode(formed(`<< /Fields [${named}] >>`))).toBe('pdf_limit_exceeded');
    expect(readCode(formed(`<< /Fields [${named.replace('xx', 'x')}] >>`))).toBe('nothing thrown');
    const empty: Bodies = {};
    for (let number = 4; number < limits.pageTreeNodes + 4; number++) empty[number] = '<< /Type /Pages /Kids [] >>';
    const kids = Object.keys(empty).map((number) => `${number} 0 R`);
    const behind = classic({ ...simple, ...empty, 2: `<< /Type /Pages /Kids [${kids.join(' ')} 3 0 R] >>` });
    expect(readCode(behind)).toBe('pdf_limit_exceeded');
    const array = `[${'/ '.repeat(limits.objectValues - 10)}]`;
    const document = open(classic({ ...simple, 4: array, 5: array, 6: array, 7: array, 8: array }));
    expect(codeOf(() => [4, 5, 6].map((number) => document.get(new PdfRef(number))))).toBe('nothing thrown');
    expect(codeOf(() => [7, 8].map((number) => document.get(new PdfRef(number))))).toBe('pdf_limit_exceeded');
  });

  test('objects inside each other that would make a small file quadratic', () => {
    const count = 4000;
    let text = '%PDF-1.7\n';
    const offsets = new Map<number, number>();
    for (const [number, body] of Object.entries({ ...simple, 1: '<< /Pages 2 0 R /AcroForm << /Fields 4 0 R >> >>' })) {
      offsets.set(Number(number), text.length);
      text += `${number} 0 obj\n${body}\nendobj\n`;
    }
    offsets.set(4, text.length);
    text += `4 0 obj\n[${Array.from({ length: count }, (_, i) => `${i + 5} 0 R`).join(' ')}]\nendobj\n`;
    // each object's string holds all the objects after it, and each is a proper object
    for (let i = 0; i < count; i++) {
      offsets.set(i + 5, text.length);
      text += `${i + 5} 0 obj <</T(`;
    }
    text += `${' '.repeat(400_000)}${')>>endobj '.repeat(count)}\n`;
    const file = `${text}${table(offsets, ' \n')}trailer\n<< /Size 9999 /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
    expect(readCode(file)).toBe('pdf_limit_exceeded');
  });
});

describe('the work of reading', () => {
  function count(text: string): number {
    const array = createArraySource(toBytes(text));
    let touched = 0;
    const source: ByteSource = {
      size: array.size,
      read(offset, length) {
        touched += length;
        return array.read(offset, length);
      },
    };
    readAll(openPdf(source));
    return touched;
  }

  test('does not grow with content', () => {
    const withContent = (size: number): string =>
      classic({ ...simple, 9: `<< /Length ${size} >>\nstream\n${'x'.repeat(size)}\nendstream` });
    const [small, large] = [count(withContent(100)), count(withContent(5_000_000))];
    expect(large).toBeLessThan(32 * 1024);
    expect(large - small).toBeLessThan(16 * 1024);
  });

  test('grows by the bytes of the table with the number of objects', () => {
    const withObjects = (objects: number): string => {
      const bodies: Bodies = { ...simple };
      for (let i = 4; i < objects; i++) bodies[i] = '(x)';
      const { offsets, text } = layOut('%PDF-1.7\n', bodies);
      const entries = [...offsets.values()].map((offset) => entry(offset, ' \n')).join('');
      return `${text}xref\n0 ${objects}\n0000000000 65535 f \n${entries}trailer\n<< /Size ${objects} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
    };
    const [one, two] = [count(withObjects(5000)), count(withObjects(10_000))];
    expect(two - one).toBeLessThan(5000 * 20 + 16 * 1024);
  });
});

describe('a file of 1 GiB', () => {
  const size = 2 ** 30;

  /** Zeros that nobody stores, between a head and a tail. */
  function sparse(head: string, tail: string): { source: ByteSource; touched: () => number; most: () => number } {
    const [first, last] = [toBytes(head), toBytes(tail)];
    let touched = 0;
    let most = 0;
    const source: ByteSource = {
      size,
      read(offset, length) {
        touched += length;
        most = Math.max(most, length);
        const bytes = new Uint8Array(length);
        if (offset < first.length) bytes.set(first.subarray(offset, offset + length));
        const start = size - last.length;
        const from = Math.max(offset, start);
        if (offset + length > start) bytes.set(last.subarray(from - start, offset + length - start), from - offset);
        return bytes;
      },
    };
    return { source, touched: () => touched, most: () => most };
  }

  test('costs kilobytes to open and to append to, whatever is in it', () => {
    const { offsets, text } = layOut('%PDF-1.7\n', simple);
    const head = `${text}4 0 obj\n<< /Length ${size - 100_000} >>\nstream\n`;
    offsets.set(4, text.length);
    const end = `${table(offsets, ' \n')}trailer\n<< /Size 5 /Root 1 0 R >>\n`;
    const tail = (at: number): string => `${end}startxref\n${at}\n%%EOF\n`;
    const start = size - tail(size).length;
    const { source, touched, most } = sparse(head, tail(start));
    const document = openPdf(source);
    readAll(document);
    const update = new IncrementalUpdate(document, (length) => new Uint8Array(length));
    update.set(update.allocate(), new PdfDict());
    expect(update.encode().bytes.length).toBeLessThan(1000);
    expect(touched()).toBeLessThan(48 * 1024);
    expect(most()).toBeLessThan(8 * 1024);
  });
});

describe('work, counted in bytes looked at,', () => {
  /** Bytes read through the source; each byte of an object is looked at once, through blocks of 4 KiB. */
  function countReads(text: string, run: (document: PdfDocument) => void): number {
    const array = createArraySource(toBytes(text));
    let touched = 0;
    const source: ByteSource = {
      size: array.size,
      read(offset, length) {
        touched += length;
        return array.read(offset, length);
      },
    };
    run(openPdf(source));
    return touched;
  }
  const nested = (count: number): Bodies => ({
    ...simple,
    1: '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields 4 0 R >> >>',
    4: `[${Array.from({ length: count }, (_, index) => `${100 + index} 0 R`).join(' ')}]`,
    ...Object.fromEntries(Array.from({ length: count }, (_, index) => [100 + index, `<< /T (f${index}) /FT /Tx >>`])),
  });
  const paged = (count: number): Bodies => ({
    1: '<< /Type /Catalog /Pages 2 0 R >>',
    2: `<< /Type /Pages /Count ${count} /Kids [${Array.from({ length: count }, (_, index) => `${3 + index} 0 R`).join(' ')}] >>`,
    ...Object.fromEntries(Array.from({ length: count }, (_, index) => [3 + index, '<< /Type /Page /Parent 2 0 R >>'])),
  });

  test.each<readonly [string, (size: number) => string, (document: PdfDocument) => void]>([
    ['for fields', (size) => classic(nested(size)), (document) => void listFormFields(document)],
    [
      'for fields in an object stream',
      (size) => compressed('predicted', nested(size)),
      (document) => void listFormFields(document),
    ],
    ['for pages', (size) => classic(paged(size)), (document) => void findPage(document, 600)],
    [
      'for the values of one object',
      (size) => classic({ ...simple, 4: `[${'1 '.repeat(20 * size)}]` }),
      (document) => void document.get(new PdfRef(4)),
    ],
    [
      'for strings',
      (size) => classic({ ...simple, 4: `(${'(x)'.repeat(20 * size)})` }),
      (document) => void document.get(new PdfRef(4)),
    ],
    [
      'for updates',
      (size) => {
        let text = classic(simple);
        for (let i = 0; i < size / 20; i++) text = appendClassic(text, { 4: `(${i})` });
        return text;
      },
      (document) => void document.get(new PdfRef(4)),
    ],
  ])('grows as the file does: %s', (_, make, run) => {
    const [one, two] = [make(1000), make(2000)];
    const [less, more] = [countReads(one, run), countReads(two, run)];
    // twice the input, twice the work, and the blocks that are read whole
    expect(more).toBeLessThanOrEqual(2.2 * less + 16 * 4096);
  });

  test('does not grow with the pages before the one that is looked for, where the tree says that they are pages', () => {
    const bodies = paged(5000);
    const all = countReads(classic(bodies), (document) => expect(countPages(document)).toBe(5000));
    const one = countReads(classic(bodies), (document) =>
      expect(String(findPage(document, 4321)?.ref)).toBe('4324 0 R'),
    );
    expect(one - all).toBeLessThan(16 * 1024);
    const lying = classic({ ...bodies, 2: (bodies[2] ?? '').replace('/Count 5000', '/Count 4999') });
    const walked = countReads(lying, (document) => expect(String(findPage(document, 4321)?.ref)).toBe('4324 0 R'));
    expect(walked).toBeGreaterThan(one + 100_000);
  });
});

describe('pages', () => {
  const tree: Bodies = {
    1: '<< /Type /Catalog /Pages 2 0 R >>',
    2: '<< /Type /Pages /Kids [3 0 R 4 0 R 8 0 R] /Count 5 /MediaBox [0 0 600 800] /Rotate 90 >>',
    3: '<< /Type /Page /Parent 2 0 R /UserUnit 2 >>',
    4: '<< /Type /Pages /Parent 2 0 R /Kids [5 0 R 6 0 R 7 0 R] /Count 3 /CropBox [700 10 -20 400] /UserUnit 3 >>',
    5: '<< /Type /Page /Parent 4 0 R /Rotate -90 >>',
    6: '<< /Type /Page /Parent 4 0 R /MediaBox [10.5 10 0 .5] /CropBox [50 50 60 60] /Rotate 45 >>',
    7: '<< /Type /Page /Parent 4 0 R /MediaBox [0 0 0 0] /UserUnit 0 >>',
    8: '<< /Type /Page /Parent 2 0 R /Rotate 720.0 /CropBox [1 2 3 4] >>',
  };

  test('are found by their index, with what they inherit and how readers show it', () => {
    const document = open(classic(tree));
    expect(countPages(document)).toBe(5);
    const boxes = [0, 1, 2, 3, 4].map((index) => {
      const page = findPage(document, index);
      return page && [page.ref.number, readPageBoxes(document, page)];
    });
    const media = [0, 0, 600, 800];
    expect(boxes).toEqual([
      [3, { mediaBox: media, cropBox: media, rotate: 90, userUnit: 2 }],
      [5, { mediaBox: media, cropBox: [0, 10, 600, 400], rotate: 270, userUnit: 1 }],
      [6, { mediaBox: [0, 0.5, 10.5, 10], cropBox: [0, 0.5, 10.5, 10], rotate: 0, userUnit: 1 }],
      [7, { mediaBox: [0, 0, 612, 792], cropBox: [0, 10, 612, 400], rotate: 90, userUnit: 1 }],
      [8, { mediaBox: media, cropBox: [1, 2, 3, 4], rotate: 0, userUnit: 1 }],
    ]);
    expect([-1, 5, 1.5, Number.NaN].map((index) => findPage(document, index))).toEqual(Array(4).fill(undefined));
  });

  test('that stand in the tree twice are two pages; nodes above them may not', () => {
    const twice = open(classic({ ...tree, 2: '<< /Type /Pages /Kids [3 0 R 3 0 R 8 0 R] /Count 3 >>' }));
    expect(countPages(twice)).toBe(3);
    expect(findPage(twice, 1)?.ref.number).toBe(3);
    const shared = open(classic({ ...tree, 2: '<< /Type /Pages /Kids [4 0 R 4 0 R] /Count 6 >>' }));
    expect(codeOf(() => countPages(shared))).toBe('pdf_reference_loop');
  });

  test('are found from a reference too, by what stands above them', () => {
    const document = open(classic(tree));
    const page = getPage(document, new PdfRef(6));
    expect(page.ancestors).toHaveLength(2);
    expect(readPageBoxes(document, page).mediaBox).toEqual([0, 0.5, 10.5, 10]);
    const loop = open(classic({ ...tree, 2: '<< /Type /Pages /Kids [3 0 R] /Parent 4 0 R >>' }));
    expect(codeOf(() => getPage(loop, new PdfRef(5)))).toBe('pdf_reference_loop');
  });

  test('with boxes of another type are refused where these are asked for', () => {
    for (const entry of ['/MediaBox [1 2 3]', '/MediaBox (x)', '/CropBox [1 2 3 --4]', '/Rotate /x', '/UserUnit []']) {
      const document = open(classic({ ...tree, 3: `<< /Type /Page ${entry} >>` }));
      expect(codeOf(() => readPageBoxes(document, findFirstPage(document)))).toBe('pdf_type_wrong');
    }
  });
});

describe('an update', () => {
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(7);

  function update(text: string, change: (update: IncrementalUpdate, document: PdfDocument) => void): string {
    const document = open(text);
    const incremental = new IncrementalUpdate(document, random);
    change(incremental, document);
    return text + toText(incremental.encode().bytes);
  }

  test.each(kinds)('of %s keeps its kind, and qpdf and we read the change', (_, make) => {
    const text = make();
    const before = open(text);
    const page = findFirstPage(before);
    const added = new PdfRef(before.nextObjectNumber);
    const grown = update(text, (change) => {
      change.set(change.allocate(), new PdfDict([['Type', new PdfName('Example')]]));
      change.set(page.ref, page.dict.with({ Example: added, Rotate: 90 }));
    });
    expect(grown.startsWith(text)).toBe(true);
    const after = open(grown);
    expect(after.sections[0]?.kind).toBe(before.sections[0]?.kind);
    expect(after.sections.length).toBe(before.sections.length + 1);
    expect(findFirstPage(after).dict.find('Rotate')).toBe(90);
    expect(after.get(added)).toBeInstanceOf(PdfDict);
    expect(after.nextObjectNumber).toBeGreaterThan(added.number);
    expect(qpdfCheck(toBytes(text))).toBe(0);
    expect(qpdfCheck(toBytes(grown))).toBe(0);
    writeFileSync(join(folder, 'grown.pdf'), toBytes(grown));
    const shown = execFileSync('qpdf', [`--show-object=${page.ref.number}`, join(folder, 'grown.pdf')]).toString();
    expect(shown).toContain('/Rotate 90');
  });

  test('of an update works as well, many times', () => {
    for (const make of [() => classic(simple), compressed, hybrid]) {
      let text = make();
      for (let i = 0; i < 5; i++) {
        text = update(text, (change) => change.set(change.allocate(), i));
      }
      expect(qpdfCheck(toBytes(text))).toBe(0);
      expect(open(text).get(new PdfRef(open(make()).nextObjectNumber))).toBe(0);
    }
  });

  test('keeps the first /ID, changes the second, and makes one where there is none', () => {
    const idOf = (text: string): string[] => {
      const id = open(text).trailer.find('ID');
      return isPdfArray(id) ? id.map((part) => (part instanceof PdfString ? toText(part.bytes) : '')) : [];
    };
    const nothing = (): undefined => undefined;
    expect(idOf(update(classic(simple, { trailer: '/ID [(first) (second)]' }), nothing))).toEqual([
      'first',
      '\x07'.repeat(16),
    ]);
    expect(idOf(update(classic(simple), nothing))).toEqual(['\x07'.repeat(16), '\x07'.repeat(16)]);
  });

  test('keeps the generation of what it replaces, and the other entries of the trailer', () => {
    const text = classic(
      { 1: '<< /Pages 2 5 R >>', 2: '<< /Kids [3 5 R] >>', 3: '<< /Type /Page >>' },
      { generation: 5, trailer: '/Info << /Title (t) >> /Custom 1 /Root 1 5 R' },
    );
    const grown = update(text, (change) => change.set(new PdfRef(3, 5), new PdfDict([['Type', new PdfName('Page')]])));
    expect(grown.slice(text.length)).toMatch(/^3 5 obj\n[^]*\n3 1\n\d{10} 00005 n\r\n/);
    expect(open(grown).trailer.find('Custom')).toBe(1);
    expect(open(grown).trailer.find('Info')).toBeInstanceOf(PdfDict);
  });

  test('begins on a line of its own', () => {
    const text = classic(simple).trimEnd();
    expect(update(text, (change) => change.set(change.allocate(), 1)).slice(text.length)).toMatch(/^\n4 0 obj\n/);
    expect(update(`${text}\r`, (change) => change.set(change.allocate(), 1)).slice(text.length)).toMatch(
      /^\r4 0 obj\n/,
    );
  });

  test('counts offsets from where the file counts them', () => {
    const grown = update(`junk\n${classic(simple)}`, (change) => change.set(change.allocate(), 42));
    expect(open(grown).get(new PdfRef(4))).toBe(42);
    expect(open(grown).base).toBe(5);
    expect(qpdfCheck(toBytes(grown))).toBe(0);
  });

  test('numbers new objects above entries that /Size does not count', () => {
    const text = classic({ ...simple, 30: '(thirty)' }).replace('/Size 31', '/Size 4 ');
    expect(open(text).nextObjectNumber).toBe(31);
    expect(open(classic(simple).replace('/Size 4', '/Size 9')).nextObjectNumber).toBe(9);
  });

  test('refuses a file whose numbers are used up', () => {
    const text = classic({ ...simple, [limits.objectNumber]: '(last)' });
    expect(codeOf(() => update(text, (change) => change.set(change.allocate(), 1)))).toBe('pdf_limit_exceeded');
  });

  test('says where placeholders are, and is the same for the same input', () => {
    const placeholder = new PdfPlaceholder(toBytes('<0000>'));
    const make = (): { bytes: Uint8Array; at: number } => {
      const change = new IncrementalUpdate(open(compressed()), random);
      change.set(change.allocate(), new PdfDict([['Contents', placeholder]]));
      const { bytes, positions } = change.encode();
      return { bytes, at: positions.get(placeholder) ?? -1 };
    };
    const { bytes, at } = make();
    expect(toText(bytes).slice(at, at + 6)).toBe('<0000>');
    expect(toText(make().bytes)).toBe(toText(bytes));
  });
});

describe('a new stream', () => {
  test.each([
    ['empty', ''],
    ['with a word in it that ends streams', 'a\nendstream\nendobj\n'],
    ['that ends without an end of line', '\r\u00ff'],
  ])('%s is read back as it was', (_, text) => {
    const data = toBytes(text);
    const document = open(compressed());
    const change = new IncrementalUpdate(document, (length) => new Uint8Array(length));
    const ref = change.allocate();
    // a /Length that doesn't go with the data is put right
    const dict = new PdfDict([
      ['Type', new PdfName('XObject')],
      ['Length', 4711],
    ]);
    change.set(ref, new PdfNewStream(dict, data));
    const source = document.source.read(0, document.source.size);
    const updated = openPdf(createArraySource(Buffer.concat([source, change.encode().bytes])));
    const stream = updated.get(ref);
    if (!(stream instanceof PdfStream)) throw new Error('no stream');
    expect(Buffer.from(updated.readStream(stream)).equals(Buffer.from(data))).toBe(true);
    expect(stream.dict.find('Type')).toEqual(new PdfName('XObject'));
  });
});

describe('a damaged file', () => {
  test('is read or refused with a code, whatever bytes are changed, cut or put in', () => {
    const sources = [
      classic(simple),
      compressed(),
      compressed('raw'),
      hybrid(),
      appendClassic(classic(simple), { 9: '(x)' }),
    ];
    const piece = fc.oneof(
      fc.constantFrom(
        '0',
        '9',
        '<<',
        '>>',
        '[',
        '(',
        '/',
        ' R',
        'xref',
        'trailer',
        'obj',
        'endobj',
        '99999999999',
        '-1',
        '\n',
        '%',
      ),
      fc.uint8Array({ minLength: 1, maxLength: 3 }).map(toText),
    );
    const mutation = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(6), piece);
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (source, mutations) => {
          let text = source;
          for (const [place, removed, inserted] of mutations) {
            const at = Math.floor(place * text.length);
            text = text.slice(0, at) + inserted + text.slice(at + removed);
          }
          readCode(text);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
