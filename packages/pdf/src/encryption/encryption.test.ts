import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSigillumError } from '@sigillum/errors';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  assertPermitted,
  createArraySource,
  decodeTextString,
  encodeTextString,
  findFirstPage,
  IncrementalUpdate,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  PdfPlaceholder,
  type PdfRef,
  PdfStream,
  PdfString,
} from '../index.ts';
import { rc4 } from './rc4.ts';

const folder = mkdtempSync(join(tmpdir(), 'sigillum-encryption-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const content = 'BT /F1 12 Tf (shown) Tj ET';
const metadata = '<x:xmpmeta xmlns:x="adobe:ns:meta/">metadata</x:xmpmeta>';

/** A file with strings and streams of every kind, which qpdf repairs and encrypts. */
const plain = [
  '%PDF-1.7',
  '1 0 obj << /Type /Catalog /Pages 2 0 R /Metadata 5 0 R /Lang (en) /Extra [(in an array) << /S (deep) >> ()] >> endobj',
  '2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj',
  '3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R >> endobj',
  `4 0 obj << /Length ${content.length} >> stream\n${content}\nendstream endobj`,
  `5 0 obj << /Type /Metadata /Subtype /XML /Length ${metadata.length} >> stream\n${metadata}\nendstream endobj`,
  'trailer << /Root 1 0 R /Size 6 >>',
  'startxref\n0\n%%EOF',
].join('\n');

function encrypt(options: readonly string[], input = plain): Uint8Array {
  const [from, to] = [join(folder, 'in.pdf'), join(folder, 'out.pdf')];
  writeFileSync(from, input, 'latin1');
  execFileSync('qpdf', ['--warning-exit-0', '--no-warn', '--allow-weak-crypto', ...options, from, to]);
  return new Uint8Array(readFileSync(to));
}

/** What qpdf finds in a file that needs no password: an object or the data of a stream. */
function askQpdf(bytes: Uint8Array, ...options: string[]): string {
  const file = join(folder, 'asked.pdf');
  writeFileSync(file, bytes);
  return execFileSync('qpdf', [...options, file], { encoding: 'latin1' }).trim();
}

const open = (bytes: Uint8Array): PdfDocument => openPdf(createArraySource(bytes));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));
const noRandom = (length: number): Uint8Array => new Uint8Array(length).fill(7);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isSigillumError(error)) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

const kinds: readonly (readonly [string, readonly string[]])[] = [
  ['RC4, 40 bits', ['--encrypt', '', 'o', '40', '--']],
  ['RC4, 128 bits', ['--encrypt', '', 'o', '128', '--']],
  ['RC4 by crypt filter', ['--encrypt', '', 'o', '128', '--force-V4', '--']],
  ['AES-128', ['--encrypt', '', 'o', '128', '--use-aes=y', '--']],
  ['AES-128, metadata readable', ['--encrypt', '', 'o', '128', '--use-aes=y', '--cleartext-metadata', '--']],
  ['AES-128 and object streams', ['--object-streams=generate', '--encrypt', '', 'o', '128', '--use-aes=y', '--']],
  ['AES-256 of revision 5', ['--encrypt', '', 'o', '256', '--force-R5', '--']],
  ['AES-256 of revision 6', ['--encrypt', '', 'o', '256', '--']],
  ['AES-256, metadata readable', ['--encrypt', '', 'o', '256', '--cleartext-metadata', '--']],
  ['AES-256, linearized', ['--linearize', '--encrypt', '', 'o', '256', '--']],
  ['RC4, opened as its owner', ['--encrypt', '', '', '128', '--']],
  ['AES-256, only the owner without password', ['--encrypt', 'u', '', '256', '--allow-insecure', '--']],
];

describe.each(kinds)('a file encrypted with %s', (_, options) => {
  const bytes = encrypt(options);

  test('has the strings and streams that were encrypted', () => {
    const document = open(bytes);
    const { catalog } = document;
    expect(String(catalog.find('Lang') instanceof PdfString)).toBe('true');
    const extra = catalog.find('Extra');
    const [first, second, third] = Array.isArray(extra) ? extra : [];
    expect(first instanceof PdfString && decodeTextString(first)).toBe('in an array');
    expect(second instanceof PdfDict && text((second.find('S') as PdfString).bytes)).toBe('deep');
    expect(third instanceof PdfString && third.bytes).toHaveLength(0);
    const contents = document.find(findFirstPage(document).dict, 'Contents');
    expect(contents instanceof PdfStream && text(document.readStream(contents)).trim()).toBe(content);
    const xmp = document.find(catalog, 'Metadata');
    expect(xmp instanceof PdfStream && text(document.readStream(xmp)).trim()).toBe(metadata);
  });

  test('has an update that qpdf decrypts, and we again; the same for the same input and random bytes', () => {
    const write = (): { all: Uint8Array; ref: PdfRef; stream: PdfRef } => {
      const document = open(bytes);
      const update = new IncrementalUpdate(document, noRandom);
      const [ref, stream] = [update.allocate(), update.allocate()];
      const hole = new PdfPlaceholder(bytesOf('<00>'));
      const signature = new PdfDict([
        ['Type', new PdfName('Sig')],
        ['Reason', encodeTextString('Sealed: ä')],
        ['ByteRange', [0, 1, 2, 3]],
        ['Contents', hole],
      ]);
      update.set(ref, signature);
      update.set(stream, new PdfNewStream(new PdfDict([['Note', new PdfString(bytesOf('n'))]]), bytesOf('new data')));
      update.set(document.catalogRef, document.catalog.with({ Added: ref, Also: stream }));
      return { all: Buffer.concat([bytes, update.encode().bytes]), ref, stream };
    };
    const { all, ref, stream } = write();
    expect(Buffer.from(write().all).equals(Buffer.from(all))).toBe(true);
    expect(text(all).slice(bytes.length)).not.toContain('new data');
    expect(askQpdf(all, '--password=', `--show-object=${ref.number}`)).toContain('/Contents <00>');
    expect(askQpdf(all, '--password=', '--show-object=trailer')).toContain('/Encrypt');
    expect(askQpdf(all, '--password=', '--filtered-stream-data', `--show-object=${stream.number}`)).toBe('new data');
    const again = open(all);
    const reason = again.getDict(ref, 'the signature').find('Reason');
    expect(reason instanceof PdfString && decodeTextString(reason)).toBe('Sealed: ä');
    const read = again.get(stream);
    expect(read instanceof PdfStream && text(again.readStream(read))).toBe('new data');
    expect(read instanceof PdfStream && text((read.dict.find('Note') as PdfString).bytes)).toBe('n');
    // the catalog was written again: its strings have been encrypted again
    expect(askQpdf(all, '--password=', `--show-object=${again.catalogRef.number}`)).toContain('(in an array)');
    expect(askQpdf(all, '--password=', '--check')).toContain('No syntax or stream encoding errors');
  });
});

describe('an encrypted file that is refused', () => {
  const good = encrypt(['--encrypt', '', 'o', '128', '--use-aes=y', '--']);
  const modern = encrypt(['--encrypt', '', 'o', '256', '--']);
  /** Latin 1 keeps every byte; only what has the same length may be put there, so that offsets stay. */
  const change = (bytes: Uint8Array, from: string | RegExp, to: string): Uint8Array => {
    const before = text(bytes);
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    expect(after).toHaveLength(before.length);
    return bytesOf(after);
  };

  test.each<readonly [string, () => Uint8Array, string]>([
    ['with a password, RC4 of 40 bits', () => encrypt(['--encrypt', 'u', 'o', '40', '--']), 'pdf_password_needed'],
    ['with a password, RC4', () => encrypt(['--encrypt', 'u', 'o', '128', '--']), 'pdf_password_needed'],
    [
      'with a password, AES-128',
      () => encrypt(['--encrypt', 'u', 'o', '128', '--use-aes=y', '--']),
      'pdf_password_needed',
    ],
    [
      'with a password, revision 5',
      () => encrypt(['--encrypt', 'u', 'o', '256', '--force-R5', '--']),
      'pdf_password_needed',
    ],
    ['with a password, revision 6', () => encrypt(['--encrypt', 'u', 'o', '256', '--']), 'pdf_password_needed'],
    ['for recipients', () => change(good, '/Filter /Standard', '/Filter /Adob#65P'), 'pdf_encryption_public_key'],
    ['of an unpublished version', () => change(good, '/V 4', '/V 3'), 'pdf_encryption_unknown'],
    ['of a version to come', () => change(good, '/V 4', '/V 6'), 'pdf_encryption_unknown'],
    ['of a revision to come', () => change(modern, '/R 6', '/R 7'), 'pdf_encryption_unknown'],
    ['of a version with the wrong revision', () => change(modern, '/R 6', '/R 4'), 'pdf_encryption_unknown'],
    ['with an unknown cipher', () => change(good, '/CFM /AESV2', '/CFM /AESV9'), 'pdf_encryption_unknown'],
    [
      'without security handler',
      () => change(good, '/Filter /Standard', '/Filtre /Standard'),
      'pdf_encryption_damaged',
    ],
    [
      'with a crypt filter that is not there',
      () => change(good, '/StmF /StdCF', '/StmF /StdXX'),
      'pdf_encryption_damaged',
    ],
    ['without permissions', () => change(good, /\/P -/, '/Q -'), 'pdf_encryption_damaged'],
    ['without /U', () => change(good, /\/U </, '/X <'), 'pdf_encryption_damaged'],
    ['whose permissions were changed', () => change(modern, /\/P -4/, '/P -5'), 'pdf_encryption_damaged'],
    ['with a key twice', () => change(good, '/StrF /StdCF', '/StmF /StdXX'), 'pdf_key_duplicate'],
    [
      'whose dictionary is not there',
      () => change(good, /\/Encrypt \d+ 0 R/, '/Encrypt 0 0 R'),
      'pdf_encryption_damaged',
    ],
  ])('%s', (_, make, code) => {
    expect(codeOf(() => open(make()))).toBe(code);
  });

  test('because an update has dropped the encryption, or changed it', () => {
    const at = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(text(good))?.[1] ?? '';
    const append = (entries: string): Uint8Array =>
      bytesOf(
        `${text(good)}xref\n0 0\ntrailer\n<< /Root 1 0 R /Size 9 /Prev ${at} ${entries} >>\nstartxref\n${good.length}\n%%EOF\n`,
      );
    expect(codeOf(() => open(append('')))).toBe('pdf_encryption_damaged');
    expect(codeOf(() => open(append('/Encrypt << /Filter /Standard >>')))).toBe('pdf_encryption_damaged');
  });

  test('because a string of it is no ciphertext', () => {
    const document = open(good);
    const update = new IncrementalUpdate(document, noRandom);
    const ref = update.allocate();
    // a placeholder is written as it is
    update.set(ref, new PdfPlaceholder(bytesOf('(plain text)')));
    const all = Buffer.concat([good, update.encode().bytes]);
    expect(codeOf(() => open(all).get(ref))).toBe('pdf_encryption_damaged');
  });
});

describe('permissions', () => {
  const codes = (options: readonly string[]): readonly string[] => {
    const document = open(encrypt(options));
    return (['add-field', 'fill-field'] as const).map((action) => codeOf(() => assertPermitted(document, action)));
  };
  const [yes, no] = ['nothing thrown', 'pdf_permission_denied'];

  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['everything', ['--encrypt', '', 'o', '256', '--'], [yes, yes]],
    ['nothing', ['--encrypt', '', 'o', '256', '--modify=none', '--'], [no, no]],
    ['filling forms', ['--encrypt', '', 'o', '256', '--modify=form', '--'], [no, yes]],
    ['annotating', ['--encrypt', '', 'o', '256', '--modify=annotate', '--'], [no, yes]],
    ['no annotating', ['--encrypt', '', 'o', '128', '--annotate=n', '--'], [no, yes]],
    ['no changing, revision 2', ['--encrypt', '', 'o', '40', '--modify=n', '--'], [no, yes]],
    ['no annotating, revision 2', ['--encrypt', '', 'o', '40', '--annotate=n', '--'], [no, no]],
    ['nothing, but the owner has no password', ['--encrypt', '', '', '128', '--modify=none', '--'], [yes, yes]],
  ])('that allow %s', (_, options, expected) => {
    expect(codes(options)).toEqual(expected);
  });

  test('of a file that is not encrypted are all there', () => {
    const update = open(encrypt([]));
    expect(codeOf(() => assertPermitted(update, 'add-field'))).toBe(yes);
  });
});

describe('crypt filters of single streams', () => {
  test('are used for reading and for writing', () => {
    const bytes = encrypt(['--encrypt', '', 'o', '256', '--']);
    const document = open(bytes);
    const update = new IncrementalUpdate(document, noRandom);
    const ref = update.allocate();
    const dict = new PdfDict([
      ['Filter', [new PdfName('Crypt')]],
      ['DecodeParms', [new PdfDict([['Name', new PdfName('Identity')]])]],
    ]);
    update.set(ref, new PdfNewStream(dict, bytesOf('readable by all')));
    const all = Buffer.concat([bytes, update.encode().bytes]);
    expect(text(all)).toContain('readable by all');
    const read = open(all).get(ref);
    expect(read instanceof PdfStream && text(open(all).readStream(read))).toBe('readable by all');
    expect(askQpdf(all, '--filtered-stream-data', `--show-object=${ref.number}`)).toBe('readable by all');
  });
});

test('RC4 gives the published vectors', () => {
  // RFC 6229 §2: the first bytes of the key stream
  const stream = (key: string): string => Buffer.from(rc4(Buffer.from(key, 'hex'), new Uint8Array(16))).toString('hex');
  expect(stream('0102030405')).toBe('b2396305f03dc027ccc3524a0a1118a8');
  expect(stream('0102030405060708090a0b0c0d0e0f10')).toBe('9ac7cc9a609d1ef7b2932899cde41b97');
});
