import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { isSigillumError } from '@sigillum/errors';
import {
  createArraySource,
  decodeTextString,
  findPage,
  type FormField,
  type IncrementalUpdate,
  isPdfArray,
  listFormFields,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  type PdfRef,
  PdfString,
  type Rectangle,
} from '@sigillum/pdf';
import fc from 'fast-check';
import { checks } from '../validate/checks.ts';
import { type InputRule, inputPolicy } from './input-policy.ts';
import { type PrepareOptions, prepareSignature } from './prepare-signature.ts';
import type { PreparedSignature } from './prepared-signature.ts';
import type { FieldPlace, SealAppearance } from './seal-appearance.ts';

type Bodies = Record<number, string>;
const signingTime = new Date('2026-11-22T03:04:05.678Z');

function makePdf(bodies: Bodies): Uint8Array {
  let text = '%PDF-1.7\n';
  let table = 'xref\n0 1\n0000000000 65535 f \n';
  for (const [number, body] of Object.entries(bodies)) {
    table += `${number} 1\n${String(text.length).padStart(10, '0')} 00000 n \n`;
    text += `${number} 0 obj\n${body}\nendobj\n`;
  }
  const size = Math.max(...Object.keys(bodies).map(Number)) + 1;
  const end = `${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return Uint8Array.from(Buffer.from(text + end, 'latin1'));
}

/** Two pages, and a form whose fields are objects from 10 on. */
function makeForm(
  fields: Bodies,
  more: { catalog?: string; form?: string; kids?: readonly number[]; annotations?: readonly number[] } = {},
): Uint8Array {
  const kids = more.kids ?? Object.keys(fields).map(Number);
  const [list = '', annotations = ''] = [kids, more.annotations ?? kids].map((numbers) =>
    numbers.map((number) => `${number} 0 R`).join(' '),
  );
  return makePdf({
    1: `<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [${list}] ${more.form ?? ''} >> ${more.catalog ?? ''} >>`,
    2: '<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>',
    3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>',
    4: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Annots [${annotations}] >>`,
    ...fields,
  });
}

const widget = '/Type /Annot /Subtype /Widget /Rect [100 90 10 20]';
const sigField = (more = ''): string => `<< /FT /Sig /T (Seal) ${widget} ${more} >>`;

function prepare(input: Uint8Array, options: Partial<PrepareOptions> = {}): PreparedSignature {
  const prefixHash = {
    algorithm: 'sha256' as const,
    finish: (parts: readonly Uint8Array[]) =>
      createHash('sha256')
        .update(Buffer.concat([input, ...parts]))
        .digest(),
  };
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(9);
  return prepareSignature(
    { source: createArraySource(input), prefixHash },
    { signingTime, contentsSize: 64, ...options },
    random,
  );
}

function codeOf(input: Uint8Array, options: Partial<PrepareOptions> = {}): string {
  try {
    prepare(input, options);
  } catch (error) {
    if (isSigillumError(error)) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

/** The reason that a refusal names. */
function detailOf(input: Uint8Array, options: Partial<PrepareOptions> = {}): string {
  try {
    prepare(input, options);
  } catch (error) {
    if (isSigillumError(error, 'seed_value_unsatisfiable')) return error.fields[0]?.detail ?? '';
    throw error;
  }
  return '';
}

function seal(input: Uint8Array, options: Partial<PrepareOptions> = {}): Uint8Array {
  return Buffer.concat([input, prepare(input, options).increment]);
}

type Sealed = { readonly document: PdfDocument; readonly field: FormField; readonly signature: PdfDict };

function read(bytes: Uint8Array, name: string): Sealed {
  const document = openPdf(createArraySource(bytes));
  const field = listFormFields(document).find((one) => one.name === name);
  if (field === undefined) throw new Error(`no field ${name}`);
  return { document, field, signature: document.getDict(field.value, 'The signature') };
}

/** Shows a rectangle; notes the place that it was asked for. */
function show(rectangle: Rectangle, index = 0, asked: (FieldPlace | undefined)[] = []): SealAppearance {
  return (document, place) => {
    asked.push(place);
    const page = findPage(document, index);
    if (page === undefined) throw new Error('no such page');
    return { page, rectangle, addForm };
  };
}

function addForm(update: IncrementalUpdate): PdfRef {
  const ref = update.allocate();
  const dict = new PdfDict([
    ['Subtype', new PdfName('Form')],
    ['BBox', [0, 0, 1, 1]],
  ]);
  update.set(ref, new PdfNewStream(dict, Buffer.from('0 0 1 1 re f')));
  return ref;
}

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('an existing signature field', () => {
  test('that is merged with its widget is filled, and keeps what it has', () => {
    const input = makeForm({ 10: sigField('/P 4 0 R /TU (Sign here) /MK << /BC [1] >>') });
    const { field, document } = read(seal(input, { fieldName: 'Seal' }), 'Seal');
    expect(field.ref?.number).toBe(10);
    expect([...field.dict.entries()].map(([key]) => key)).toEqual(
      expect.arrayContaining(['TU', 'MK', 'P', 'Rect', 'V', 'AP', 'F']),
    );
    expect(field.dict.find('Rect')).toEqual([100, 90, 10, 20]);
    expect(field.dict.find('F')).toBe(132);
    expect(listFormFields(document)).toHaveLength(1);
    expect(findPage(document, 0)?.dict.has('Annots')).toBe(false);
  });

  test('with widgets of its own is filled, all of them shown', () => {
    const input = makeForm(
      {
        10: '<< /T (form) /Kids [11 0 R] >>',
        11: '<< /FT /Sig /T (seal.one) /Parent 10 0 R /Kids [12 0 R 13 0 R] >>'.replace('seal.one', 'seal'),
        12: `<< /Parent 11 0 R ${widget} /P 4 0 R >>`,
        13: `<< /Parent 11 0 R ${widget} /P 3 0 R >>`,
      },
      { kids: [10], annotations: [12] },
    );
    const bytes = seal(input, { fieldName: 'form.seal', appearance: show([0, 0, 1, 1]) });
    const { field, document, signature } = read(bytes, 'form.seal');
    expect(signature.find('Type')).toEqual(new PdfName('Sig'));
    expect(field.dict.has('AP')).toBe(false);
    const kids = document.find(field.dict, 'Kids');
    const forms = (isPdfArray(kids) ? kids : []).map((kid) => {
      const { dict } = { dict: document.getDict(kid, 'A widget') };
      return String(document.getDict(dict.find('AP'), '/AP').find('N'));
    });
    expect(forms).toHaveLength(2);
    expect(new Set(forms).size).toBe(1);
  });

  test('gives its place to the appearance, and takes no other', () => {
    const asked: (FieldPlace | undefined)[] = [];
    const input = makeForm(
      { 10: sigField('/F 2 /AS /Off /AP << /N << /Off 11 0 R >> >>'), 11: 'null' },
      { kids: [10] },
    );
    const { field } = read(seal(input, { fieldName: 'Seal', appearance: show([1, 2, 3, 4], 0, asked) }), 'Seal');
    // /Rect in order, and the page that lists the widget, which doesn't say itself where it is
    expect(asked.map((place) => [String(place?.page), place?.rectangle])).toEqual([['4 0 R', [10, 20, 100, 90]]]);
    expect(field.dict.find('Rect')).toEqual([100, 90, 10, 20]);
    // shown, though it was hidden
    expect([field.dict.find('F'), field.dict.has('AS')]).toEqual([132, false]);
  });

  test('is shown on the page that lists it, whatever the field itself says', () => {
    const asked: (FieldPlace | undefined)[] = [];
    const detached = '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Annots [10 0 R] >>';
    for (const field of [sigField('/P 3 0 R'), sigField('/P 11 0 R')]) {
      const input = makeForm({ 10: field, 11: detached }, { kids: [10] });
      seal(input, { fieldName: 'Seal', appearance: show([0, 0, 9, 9], 0, asked) });
    }
    expect(asked.map((place) => String(place?.page))).toEqual(['4 0 R', '4 0 R']);
  });

  test('is refused where nobody would see what is to be shown', () => {
    const detached = '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Annots [10 0 R] >>';
    const unseen = (field: string, more: { annotations?: readonly number[] } = {}) =>
      makeForm({ 10: field, 11: detached }, { kids: [10], ...more });
    const appearance = show([0, 0, 9, 9]);
    for (const input of [
      unseen(sigField('/P 4 0 R'), { annotations: [] }),
      unseen(sigField('/P 11 0 R'), { annotations: [] }),
      unseen(sigField('/P 4 0 R').replace('[100 90 10 20]', '[300 90 210 20]')),
      // a third of it is on the page
      unseen(sigField('/P 4 0 R').replace('[100 90 10 20]', '[170 20 260 90]')),
    ]) {
      expect(codeOf(input, { fieldName: 'Seal', appearance })).toBe('pades_field_unusable');
      expect(codeOf(input, { fieldName: 'Seal' })).toBe('nothing thrown');
    }
    const overEdge = unseen(sigField('/P 4 0 R').replace('[100 90 10 20]', '[150 20 240 90]'));
    expect(codeOf(overEdge, { fieldName: 'Seal', appearance })).toBe('nothing thrown');
  });

  test('keeps its appearance and its flags when nothing is to be shown', () => {
    const input = makeForm({ 10: sigField('/F 2 /AP << /N 11 0 R >>'), 11: '<< >>' }, { kids: [10] });
    const { field } = read(seal(input, { fieldName: 'Seal' }), 'Seal');
    expect([field.dict.find('F'), toText(seal(input, { fieldName: 'Seal' }))]).toEqual([
      134,
      expect.stringContaining('/AP << /N 11 0 R >>'),
    ]);
  });

  test.each<[string, Bodies, string, string]>([
    ['is signed', { 10: sigField('/V 11 0 R'), 11: '<< /Type /Sig >>' }, 'Seal', 'pades_field_filled'],
    [
      'is signed above it',
      { 10: '<< /FT /Sig /V << >> /T (a) /Kids [11 0 R] >>', 11: `<< /T (b) /Parent 10 0 R ${widget} >>` },
      'a.b',
      'pades_field_filled',
    ],
    ['is for text', { 10: `<< /FT /Tx /T (Seal) ${widget} >>` }, 'Seal', 'pades_field_exists'],
    [
      'only groups others',
      { 10: '<< /FT /Sig /T (a) /Kids [11 0 R] >>', 11: `<< /T (b) /Parent 10 0 R ${widget} >>` },
      'a',
      'pades_field_exists',
    ],
    ['comes twice', { 10: sigField(), 11: sigField() }, 'Seal', 'pades_field_unusable'],
    ['is read-only', { 10: sigField('/Ff 1') }, 'Seal', 'pades_field_unusable'],
    ['does not exist and has a period', { 10: sigField() }, 'a.Seal', 'pades_option_invalid'],
  ])('is refused when it %s', (_, fields, fieldName, code) => {
    const kids = Object.keys(fields)
      .map(Number)
      .filter((number) => number === 10 || fields[number] === sigField());
    expect(codeOf(makeForm(fields, { kids }), { fieldName })).toBe(code);
  });

  test('is refused where it has no object of its own, or no place for what is to be shown', () => {
    const direct = makeForm({}, { form: '' });
    const text = toText(direct).replace('/Fields []', `/Fields [${sigField()}]`);
    expect(codeOf(rebuild(text), { fieldName: 'Seal' })).toBe('pades_field_unusable');
    const appearance = show([0, 0, 9, 9]);
    for (const body of ['<< /FT /Sig /T (Seal) >>', '<< /FT /Sig /T (Seal) /Rect [0 0 0 0] /P 3 0 R >>']) {
      const input = makeForm({ 10: body });
      expect(codeOf(input, { fieldName: 'Seal', appearance })).toBe('pades_field_unusable');
      expect(codeOf(input, { fieldName: 'Seal' })).toBe('nothing thrown');
    }
  });
});

/** A file whose objects were changed in length. */
function rebuild(text: string): Uint8Array {
  const bodies: Bodies = {};
  for (const [, number, body] of text.matchAll(/^(\d+) 0 obj\n(.*)\nendobj$/gm)) bodies[Number(number)] = body ?? '';
  return makePdf(bodies);
}

describe('the lock of a field that is filled', () => {
  test('becomes a transform of the signature, with its fields and its level', () => {
    const input = makeForm(
      { 10: sigField('/Lock << /Type /SigFieldLock /Action /Include /Fields [(a) 11 0 R] /P 2 >>'), 11: '(Größe)' },
      { kids: [10] },
    );
    const { signature, document } = read(seal(input, { fieldName: 'Seal' }), 'Seal');
    const references = document.find(signature, 'Reference');
    const [reference] = (isPdfArray(references) ? references : []).map((value) =>
      document.getDict(value, 'A reference'),
    );
    const parameters = document.getDict(reference?.find('TransformParams'), 'Parameters');
    expect(reference?.find('TransformMethod')).toEqual(new PdfName('FieldMDP'));
    expect(String(reference?.find('Data'))).toBe('1 0 R');
    const fields = parameters.find('Fields');
    const names = (isPdfArray(fields) ? fields : []).map((name) =>
      name instanceof PdfString ? decodeTextString(name) : '',
    );
    expect([parameters.find('Action'), names, parameters.find('P')]).toEqual([
      new PdfName('Include'),
      ['a', 'Größe'],
      2,
    ]);
  });

  test('binds who comes after', () => {
    const lock = (more: string) => makeForm({ 10: sigField(`/Lock << ${more} >>`) });
    const all = seal(lock('/Action /All'), { fieldName: 'Seal' });
    expect(codeOf(all)).toBe('fieldmdp_forbids_field');
    const closed = seal(lock('/Action /Include /Fields [] /P 1'), { fieldName: 'Seal' });
    expect(codeOf(closed)).toBe('docmdp_forbids_changes');
    const open = seal(lock('/Action /Include /Fields [(Locked)]'), { fieldName: 'Seal' });
    expect(codeOf(open)).toBe('nothing thrown');
    expect(codeOf(open, { fieldName: 'Locked' })).toBe('fieldmdp_forbids_field');
  });
});

describe('a certification', () => {
  test.each([1, 2, 3] as const)('with P=%s stands in the signature and in /Perms', (certify) => {
    const bytes = seal(makeForm({}, { catalog: '/Perms << /UR3 9 0 R >>' }), { certify });
    const { document, signature, field } = read(bytes, 'Signature1');
    expect(toText(bytes)).toContain(
      `/TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P ${certify} /V /1.2 >>`,
    );
    const permissions = document.getDict(document.catalog.find('Perms'), '/Perms');
    expect(String(permissions.find('DocMDP'))).toBe(String(field.value));
    expect(permissions.has('UR3')).toBe(true);
    expect(signature.has('Reference')).toBe(true);
    expect(codeOf(bytes)).toBe(certify === 1 ? 'docmdp_forbids_changes' : 'nothing thrown');
  });

  test('is refused after any signature', () => {
    const signed = seal(makeForm({}));
    expect(codeOf(signed, { certify: 2 })).toBe('pades_certify_not_first');
    expect(codeOf(makeForm({ 10: sigField() }), { certify: 2 })).toBe('nothing thrown');
  });

  test('allows an invisible seal and one in a field that was there, but no new visible one', () => {
    const input = seal(makeForm({ 10: sigField('/P 4 0 R') }), { certify: 2 });
    const appearance = show([0, 0, 9, 9]);
    expect(codeOf(input)).toBe('nothing thrown');
    expect(codeOf(input, { fieldName: 'Seal', appearance })).toBe('nothing thrown');
    expect(codeOf(input, { appearance })).toBe('docmdp_forbids_visible_field');
    // nobody certified: then it may be seen
    expect(codeOf(seal(makeForm({})), { appearance })).toBe('nothing thrown');
  });
});

describe('a visible seal in a new field', () => {
  test('stands on its page, where it was asked to', () => {
    const input = makeForm({ 10: '<< /FT /Tx /T (a) >>' });
    const { document, field } = read(seal(input, { appearance: show([1, 2.5, 30.00049, 40], 1) }), 'Signature1');
    expect(String(field.dict.find('P'))).toBe('4 0 R');
    expect(field.dict.find('F')).toBe(132);
    expect(toText(seal(input, { appearance: show([1, 2.5, 30.00049, 40], 1) }))).toContain('/Rect [1 2.500 30 40]');
    const annotations = document.find(findPage(document, 1)?.dict ?? new PdfDict(), 'Annots');
    expect(String(annotations)).toBe(`10 0 R,${field.ref}`);
  });

  test('never appears on another page that shares its list of annotations', () => {
    const input = rebuild(
      toText(makeForm({ 10: '[]' }, { kids: [] }))
        .replace('/Annots []', '/Annots 10 0 R')
        .replace('[0 0 200 100] >>', '[0 0 200 100] /Annots 10 0 R >>'),
    );
    const { document } = read(seal(input, { appearance: show([0, 0, 9, 9]) }), 'Signature1');
    const counts = [0, 1].map((index) => document.find(findPage(document, index)?.dict ?? new PdfDict(), 'Annots'));
    expect(counts.map((list) => (isPdfArray(list) ? list.length : -1))).toEqual([1, 0]);
  });

  test.each<[string, Rectangle]>([
    ['without an area', [5, 5, 5, 9]],
    ['upside down', [5, 9, 8, 7]],
    ['that is no number', [0, 0, Number.NaN, 9]],
    ['far off', [0, 0, 9, 1e9]],
  ])('is refused with a rectangle %s', (_, rectangle) => {
    expect(codeOf(makeForm({}), { appearance: show(rectangle) })).toBe('pades_appearance_unplaceable');
  });

  test('is refused on what is no page', () => {
    const appearance: SealAppearance = ({ catalogRef }) => ({ page: catalogRef, rectangle: [0, 0, 9, 9], addForm });
    expect(codeOf(makeForm({}), { appearance })).toBe('pdf_type_wrong');
  });
});

describe('what a field requires of its signature (/SV)', () => {
  const field = (more: string) => makeForm({ 10: sigField(`/SV << /Type /SV ${more} >>`) });
  const certificate = new Uint8Array(Buffer.from('not one'));

  test.each<[string, string, Partial<PrepareOptions>, string]>([
    ['nothing', '', {}, ''],
    ['a handler that is ours', '/Ff 1 /Filter /Adobe.PPKLite', {}, ''],
    ['another handler', '/Ff 1 /Filter /Entrust.PPKEF', {}, 'requires another signature handler'],
    ['another handler, only as a wish', '/Filter /Entrust.PPKEF', {}, ''],
    ['a format that is ours', '/Ff 2 /SubFilter [/adbe.pkcs7.detached /ETSI.CAdES.detached]', {}, ''],
    [
      'another format',
      '/Ff 2 /SubFilter [/adbe.pkcs7.detached]',
      {},
      'requires another signature format than PAdES (ETSI.CAdES.detached)',
    ],
    ['a version that is known', '/Ff 4 /V 3', {}, ''],
    ['a later version', '/Ff 4 /V 3.1', {}, 'requires a later edition of the PDF standard than ISO 32000-2'],
    ['a reason that it lists', '/Ff 8 /Reasons [(Approved) (Seen)]', { reason: 'Seen' }, ''],
    [
      'a reason that it lists, and there is none',
      '/Ff 8 /Reasons [(Approved)]',
      {},
      'requires one of the reasons that it lists',
    ],
    ['another reason', '/Ff 8 /Reasons [(Approved)]', { reason: 'Seen' }, 'allows only the reasons that it lists'],
    ['no reason', '/Ff 8 /Reasons [(.)]', { reason: 'Seen' }, 'allows no reason'],
    ['no reason, and there is none', '/Ff 8', {}, ''],
    ['a legal attestation', '/Ff 16 /LegalAttestation [(x)]', {}, 'requires a legal attestation'],
    [
      'revocation information',
      '/Ff 32 /AddRevInfo true',
      {},
      'requires revocation information: seal at level b-lt or above',
    ],
    [
      'revocation information that comes',
      '/Ff 32 /AddRevInfo true',
      { provides: { timeStamp: true, revocation: true } },
      '',
    ],
    ['a digest that is ours', '/Ff 64 /DigestMethod [(SHA1) (SHA256)]', {}, ''],
    [
      'another digest',
      '/Ff 64 /DigestMethod [(SHA512)]',
      {},
      'does not allow sha256, the digest algorithm of the credential',
    ],
    ['a locked document', '/Ff 128 /LockDocument /true', {}, 'requires that the document is locked, with certify 1'],
    ['a locked document that is', '/Ff 128 /LockDocument /true', { certify: 1 }, ''],
    ['an open document', '/Ff 128 /LockDocument /false', { certify: 1 }, 'does not allow that the document is locked'],
    [
      'an appearance by its name',
      '/Ff 256 /AppearanceFilter (Company)',
      {},
      'requires an appearance by the name of one',
    ],
    ['something unknown', '/Ff 512', {}, 'requires something that ISO 32000-2 does not define'],
    ['a certification', '/MDP << /P 2 >>', {}, 'requires a certification with certify 2'],
    ['a certification that comes', '/MDP << /P 2 >>', { certify: 2 }, ''],
    ['another certification', '/MDP << /P 2 >>', { certify: 1 }, 'requires a certification with certify 2'],
    ['no certification', '/MDP << /P 0 >>', { certify: 3 }, 'does not allow a certification'],
    ['a time-stamp from somewhere', '/TimeStamp << /URL (http://192.0.2.1/) /Ff 1 >>', {}, ''],
    [
      'a time-stamp, and there is none',
      '/TimeStamp << /Ff 1 >>',
      { provides: { timeStamp: false, revocation: false } },
      'requires a time-stamp: seal at level b-t or above',
    ],
    [
      'a certificate, and none is known',
      '/Cert << /Ff 1 /Subject [<3000>] >>',
      {},
      'requires a certain certificate, and it is not known who will sign',
    ],
    [
      'a place on the web',
      '/Cert << /Ff 64 /URL (http://192.0.2.1/) >>',
      {},
      'requires a certificate, or a signature, from a place on the web',
    ],
    ['a place on the web, only as a wish', '/Cert << /URL (http://192.0.2.1/) >>', {}, ''],
    ['a policy', '/Cert << /SignaturePolicyOID (1.2.3) >>', {}, 'requires a signature policy'],
    [
      'something unknown of the certificate',
      '/Cert << /Ff 128 >>',
      {},
      'requires something of the certificate that ISO 32000-2 does not define',
    ],
  ])('%s', (_, seed, options, detail) => {
    expect(detailOf(field(seed), { fieldName: 'Seal', ...options })).toBe(detail);
  });

  test('malformed is refused, since it may be a requirement', () => {
    for (const seed of ['/Ff (1)', '/Ff 8 /Reasons [1]', '/Ff 2 /SubFilter [(x)]', '/Cert 1', '/MDP << /P (2) >>']) {
      expect([seed, codeOf(field(seed), { fieldName: 'Seal' })]).toEqual([seed, 'pdf_type_wrong']);
    }
    const signer = { certificate, chain: [] };
    expect(codeOf(field('/Cert << /Ff 1 /Subject [<3000>] >>'), { fieldName: 'Seal', signer })).toMatch(/^pki_/);
  });

  test('does not bind a new field', () => {
    expect(codeOf(field('/Ff 512'))).toBe('nothing thrown');
  });
});

describe('an earlier signature', () => {
  test('is named with its state', () => {
    const input = makeForm(
      { 10: sigField('/V 11 0 R'), 11: '<< /Type /Sig /Filter /X /SubFilter /adbe.x509.rsa_sha1 >>' },
      { kids: [10] },
    );
    expect(prepare(input).earlierSignatures).toEqual([{ fieldName: 'Seal', state: 'not-checked' }]);
    const empty = makeForm({ 10: sigField('/V 11 0 R'), 11: '<< /Type /Sig /Filter /X >>' }, { kids: [10] });
    expect(prepare(empty).earlierSignatures).toEqual([{ fieldName: 'Seal', state: 'broken' }]);
    // prepared but never signed
    expect(prepare(seal(makeForm({}))).earlierSignatures).toEqual([{ fieldName: 'Signature1', state: 'broken' }]);
    expect(prepare(makeForm({})).earlierSignatures).toEqual([]);
  });

  test('that two fields claim is refused', () => {
    const input = makeForm(
      { 10: sigField('/V 12 0 R'), 11: `<< /FT /Sig /T (b) /V 12 0 R >>`, 12: '<< /Type /Sig >>' },
      { kids: [10, 11] },
    );
    expect(codeOf(input)).toBe('pades_signature_shared');
  });
});

describe('the input policy', () => {
  const rules: readonly InputRule[] = Object.values(inputPolicy);

  // a new check of validation is decided on for input too
  test('speaks of every check of validation', () => {
    const named = new Set(rules.flatMap((rule) => rule.checks));
    expect(Object.keys(checks).filter((code) => !named.has(code as keyof typeof checks))).toEqual([]);
  });

  test('refuses with a code, and only then', () => {
    for (const { refused, codes, sentence } of rules) {
      expect(codes.length > 0).toBe(refused !== 'never');
      expect(sentence).toMatch(/\.$/);
    }
  });

  test('refuses what Firefox and Acrobat draw from a template', () => {
    const xfa = '/XFA 11 0 R';
    const form = (fields: Bodies, more: object) =>
      makeForm(
        { ...fields, 11: '<< /Length 0 >>\nstream\n\nendstream' },
        { kids: Object.keys(fields).map(Number), form: xfa, ...more },
      );
    expect(codeOf(form({}, {}))).toBe('pades_xfa_dynamic');
    expect(codeOf(form({ 10: '<< /FT /Tx /T (a) >>' }, {}))).toBe('nothing thrown');
    expect(codeOf(form({ 10: '<< /FT /Tx /T (a) >>' }, { catalog: '/NeedsRendering true' }))).toBe('pades_xfa_dynamic');
  });

  test('never lets a key be lost that stands twice in what is written again', () => {
    const catalog = makeForm({}, { catalog: '/ViewerPreferences << /A 1 /A 2 >>' });
    expect(codeOf(catalog)).toBe('pdf_key_duplicate');
  });
});

test('whatever the names, texts and rectangles are, a seal that is made can be read back', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 });
  const side = fc.double({ min: -500, max: 500, noNaN: true });
  fc.assert(
    fc.property(
      text,
      text,
      fc.tuple(side, side, side, side),
      fc.constantFrom(undefined, 1, 2, 3),
      (name, reason, rectangle, certify) => {
        const options = { fieldName: name, reason, appearance: show(rectangle), ...(certify ? { certify } : {}) };
        let bytes: Uint8Array;
        try {
          bytes = seal(makeForm({ 10: '<< /FT /Tx /T (a) >>' }), options);
        } catch (error) {
          expect(
            isSigillumError(error, 'pades_option_invalid', 'pades_appearance_unplaceable', 'pades_field_exists'),
          ).toBe(true);
          return;
        }
        const { field, signature } = read(bytes, name);
        const written = signature.find('Reason');
        expect(written instanceof PdfString ? decodeTextString(written) : undefined).toBe(reason);
        const numbers = field.dict.find('Rect');
        expect(isPdfArray(numbers) ? numbers.length : 0).toBe(4);
      },
    ),
    { numRuns: 200 },
  );
});
