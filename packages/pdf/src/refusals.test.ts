import { codeRegistry, isSigillumError } from '@sigillum/errors';
import { expect, test } from '@jest/globals';
import { assertPermitted, createArraySource, findFirstPage, openPdf, PdfRef, PdfStream } from './index.ts';
import { limits } from './limits.ts';

type Bodies = Readonly<Record<number, string>>;

const simple: Bodies = {
  1: '<< /Type /Catalog /Pages 2 0 R >>',
  2: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
  3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>',
};

function file(bodies: Bodies, trailer = '/Root 1 0 R'): string {
  let text = '%PDF-1.7\n';
  let table = 'xref\n0 1\n0000000000 65535 f \n';
  for (const [number, body] of Object.entries(bodies)) {
    table += `${number} 1\n${String(text.length).padStart(10, '0')} 00000 n \n`;
    text += `${number} 0 obj\n${body}\nendobj\n`;
  }
  return `${text}${table}trailer\n<< /Size 9 ${trailer} >>\nstartxref\n${text.length}\n%%EOF\n`;
}

const good = file(simple);
const startxref = good.lastIndexOf('xref\n0 1');
const hex = (length: number): string => `<${'00'.repeat(length)}>`;
const encrypt = (entries: string): string => file(simple, `/Root 1 0 R /Encrypt << ${entries} >>`);
/** Opens with the empty password, and neither changes nor comments are allowed (bits 4 and 6); the owner's password is "owner". */
const withoutRights = encrypt(
  `/Filter /Standard /V 1 /R 2 /P -44 /O <c92422687facee686e373f10b5c7d04738053152f7e2ee30e11c69ec442576ab> \
/U <2c9d40e2d49497d3def4e7ab25039d9dc7ecdea32794f77fe47c986fc13bfd09>`,
);

/** A file for each code that this package refuses one with. */
const examples: Readonly<Record<string, string>> = {
  pdf_header_missing: good.slice(9),
  pdf_startxref_missing: good.slice(0, good.lastIndexOf('startxref')),
  pdf_xref_damaged: good.replace(/startxref\n\d+/, 'startxref\n9'),
  pdf_xref_loop: file(simple, `/Root 1 0 R /Prev ${startxref}`),
  pdf_object_misplaced: good.replace('\n3 0 obj', '\n4 0 obj'),
  pdf_object_malformed: good.replace('/Count 1 >>', '/Count 1 ] '),
  pdf_stream_damaged: file({ ...simple, 1: '<< /Pages 2 0 R >>', 4: '<< /Length 9 >>\nstream\nabc\nendstream' }),
  pdf_filter_unsupported: file({ ...simple, 4: '<< /Length 3 /Filter /JPXDecode >>\nstream\nabc\nendstream' }),
  pdf_type_wrong: file({ ...simple, 1: '[]' }),
  pdf_key_duplicate: file({ ...simple, 1: '<< /Pages 2 0 R /Pages 3 0 R >>' }),
  pdf_reference_loop: file({ ...simple, 2: '<< /Type /Pages /Kids [2 0 R] /Count 1 >>' }),
  pdf_page_missing: file({ ...simple, 2: '<< /Type /Pages /Kids [] /Count 0 >>' }),
  pdf_password_needed: encrypt(`/Filter /Standard /V 1 /R 2 /P -4 /O ${hex(32)} /U ${hex(32)}`),
  pdf_encryption_public_key: encrypt('/Filter /Adobe.PubSec /V 4'),
  pdf_encryption_unknown: encrypt('/Filter /Standard /V 3 /R 3'),
  pdf_encryption_damaged: encrypt('/Filter /Standard /V 1 /R 2 /P -4'),
  pdf_permission_denied: withoutRights,
  pdf_limit_exceeded: file({ ...simple, 1: '['.repeat(limits.nesting + 1) }),
};

/** What a seal reads, and every stream with it. */
function readAll(text: string): void {
  const document = openPdf(createArraySource(Uint8Array.from(Buffer.from(text, 'latin1'))));
  assertPermitted(document, 'add-field');
  findFirstPage(document);
  for (const number of [1, 2, 3, 4]) {
    const value = document.get(new PdfRef(number));
    if (value instanceof PdfStream) document.readStream(value);
  }
}

test('a sound file is not refused', () => {
  expect(() => readAll(good)).not.toThrow();
});

test('every code of this package has its example', () => {
  const codes = Object.keys(codeRegistry).filter((code) => code.startsWith('pdf_'));
  expect(Object.keys(examples).toSorted()).toEqual(codes.toSorted());
});

test.each(Object.entries(examples))('%s is what a file is refused with, in a sentence to act on', (code, text) => {
  let thrown: unknown;
  try {
    readAll(text);
  } catch (error) {
    thrown = error;
  }
  if (!isSigillumError(thrown)) throw new Error('it was not refused with a code', { cause: thrown });
  expect(thrown.code).toBe(code);
  expect(thrown.message).toMatch(/^[A-Z].{20,300}\.$/);
  expect(thrown.message).not.toMatch(/undefined|NaN|\[object/);
});
