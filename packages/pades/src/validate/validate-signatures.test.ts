import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sealDocument, validateSignatures, type CheckCode, type ValidationReport } from '@sigillum/pades';
import {
  createArraySource,
  encodeTextString,
  findFirstPage,
  type IncrementalUpdate,
  listFormFields,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  type PdfObject,
  PdfRef,
  PdfString,
} from '@sigillum/pdf';
import {
  cmsOids,
  encodeAttribute,
  encodeOctetString,
  encodeOid,
  encodeSet,
  encodeTime,
  readDer,
  verifyTimeStampToken,
} from '@sigillum/pki';
import { makeSamplePdf, SoftwareSignerForTests, type SampleKind } from '@sigillum/testing';
import { findGap, type SignatureChoices, updateFile, ValidationKit } from '../../test/validation-kit.ts';

let kit: ValidationKit;
let good: Uint8Array;
const input = makeSamplePdf('classic');
const hour = 3_600_000;

beforeAll(async () => {
  kit = new ValidationKit();
  good = await seal(input);
});
afterAll(() => kit.remove());

/** A seal by the product's own steps. */
async function seal(bytes: Uint8Array): Promise<Uint8Array> {
  const sealed = await sealDocument({
    input: {
      source: createArraySource(bytes),
      prefixHash: {
        algorithm: 'sha256',
        finish: (parts) => createHash('sha256').update(bytes).update(Buffer.concat(parts)).digest(),
      },
    },
    credential: {
      certificate: kit.leaf.certificate,
      chain: [kit.ca.certificate, kit.root.certificate],
      algorithm: 'ecdsa-p256-sha256',
    },
    options: { signingTime: new Date(), reason: 'Test' },
    ports: {
      sign: ({ digest }) => new SoftwareSignerForTests(kit.leaf.privateKey, 'ecdsa').sign(digest),
      timeStamps: {
        request: (imprint) =>
          Promise.resolve(
            verifyTimeStampToken(kit.makeToken(imprint.digest), { imprint, roots: [kit.root.certificate] }),
          ),
      },
      now: () => new Date(),
      random: (length) => new Uint8Array(randomBytes(length)),
    },
  });
  return new Uint8Array(Buffer.concat([bytes, sealed.increment]));
}

function verify(file: Uint8Array, more: Partial<Parameters<typeof validateSignatures>[1]> = {}): ValidationReport {
  return validateSignatures(createArraySource(file), { roots: [kit.root.certificate], now: new Date(), ...more });
}

function codesOf(report: ValidationReport): readonly CheckCode[] {
  return [...report.findings, ...report.signatures.flatMap((one) => one.findings)]
    .filter(({ severity }) => severity !== 'note')
    .map(({ code }) => code);
}

function expectRefused(file: Uint8Array, code: CheckCode): ValidationReport {
  const report = verify(file);
  expect(codesOf(report)).toContain(code);
  expect([report.accepted, report.readable]).toEqual([false, true]);
  return report;
}

const edit = (file: Uint8Array, change: (copy: Buffer) => void): Uint8Array => {
  const copy = Buffer.from(file);
  change(copy);
  return new Uint8Array(copy);
};
const append = (file: Uint8Array, text: string): Uint8Array =>
  new Uint8Array(Buffer.concat([file, Buffer.from(text, 'latin1')]));
const name = (value: string) => new PdfName(value);
const dictOf = (entries: Record<string, PdfObject>) => new PdfDict(Object.entries(entries));
const certify = (level: number): SignatureChoices => ({
  dict: {
    Reference: [
      dictOf({
        Type: name('SigRef'),
        TransformMethod: name('DocMDP'),
        TransformParams: dictOf({ Type: name('TransformParams'), P: level, V: name('1.2') }),
      }),
    ],
  },
  change: (update, document, _field, signature) => {
    const form = document.catalog.find('AcroForm');
    const changed = form
      ? document.catalog
      : document.catalog.with({ AcroForm: dictOf({ Fields: [_field], SigFlags: 3 }) });
    update.set(document.catalogRef, changed.with({ Perms: dictOf({ DocMDP: signature }) }));
  },
});
const addDss = (update: IncrementalUpdate, document: PdfDocument): void => {
  const dss = dictOf({ Type: name('DSS'), Certs: [], CRLs: [] });
  update.set(document.catalogRef, document.catalog.with({ DSS: dss }));
};
const changePage = (change: Record<string, PdfObject>) => (update: IncrementalUpdate, document: PdfDocument) => {
  const page = findFirstPage(document);
  update.set(page.ref, page.dict.with(change));
};
const fillField = (update: IncrementalUpdate, document: PdfDocument): void => {
  const field = listFormFields(document).find(({ type }) => type === 'Tx');
  if (field?.ref) update.set(field.ref, field.dict.with({ V: encodeTextString('filled') }));
};
/** A document with a text field. */
const withForm = updateFile(input, (update, document) => {
  const [field, form] = [update.allocate(), update.allocate()];
  const page = findFirstPage(document);
  const widget = {
    Subtype: name('Widget'),
    FT: name('Tx'),
    T: encodeTextString('name'),
    Rect: [50, 50, 150, 70],
    P: page.ref,
  };
  update.set(field, dictOf(widget));
  update.set(form, dictOf({ Fields: [field] }));
  update.set(page.ref, page.dict.with({ Annots: [field] }));
  update.set(document.catalogRef, document.catalog.with({ AcroForm: form }));
});

describe('a good file is accepted', () => {
  test.each(['classic', 'xref-stream', 'object-streams', 'linearized', 'hybrid'] satisfies SampleKind[])(
    'sealed by the product, %s, once and twice',
    async (kind) => {
      const once = await seal(makeSamplePdf(kind));
      const report = verify(once);
      expect([codesOf(report), report.accepted]).toEqual([[], true]);
      expect(report.signatures[0]).toMatchObject({
        indication: 'TOTAL-PASSED',
        format: 'PAdES-BASELINE-T',
        intact: true,
        coversWholeFile: true,
        changedSince: 'none',
        trustedChain: true,
        time: { source: 'signature_time_stamp' },
      });
      const twice = verify(await seal(once));
      expect([codesOf(twice), twice.accepted, twice.signatures[0]?.changedSince]).toEqual([[], true, 'new_signatures']);
    },
  );

  test('B-B says that its time is a claim', () => {
    const report = verify(kit.sign(input, { cms: { token: null } }));
    expect([codesOf(report), report.accepted]).toEqual([[], true]);
    expect(report.signatures[0]).toMatchObject({ format: 'PAdES-BASELINE-B', time: { source: 'claimed' } });
  });

  test('with a DSS, a document time-stamp, another DSS and another time-stamp, also when certified with P=1', () => {
    for (const options of [{}, certify(1)]) {
      const extended = kit.timeStamp(updateFile(kit.sign(input, options), addDss));
      const report = verify(kit.timeStamp(extended));
      expect([codesOf(report), report.accepted]).toEqual([[], true]);
      expect(report.signatures.map(({ kind, changedSince }) => [kind, changedSince])).toEqual([
        ['signature', 'lta_update'],
        ['document_time_stamp', 'lta_update'],
        ['document_time_stamp', 'none'],
      ]);
    }
  });

  test('certified with P=2 and signed again; visibly signed twice when not certified', () => {
    expect(codesOf(verify(kit.sign(kit.sign(input, certify(2)))))).toEqual([]);
    const visible = { field: { Rect: [10, 10, 90, 60] } };
    expect(codesOf(verify(kit.sign(kit.sign(input, visible), visible)))).toEqual([]);
  });

  test('a form filled where the certification allows it, or where a later signature stands for it', () => {
    const certified = verify(updateFile(kit.sign(withForm, certify(2)), fillField));
    expect([codesOf(certified), certified.signatures[0]?.changedSince]).toEqual([[], 'form_filling']);
    expect(codesOf(verify(kit.sign(updateFile(kit.sign(withForm), fillField))))).toEqual([]);
  });

  test('with one end of line after the end', () => {
    const bare = edit(good, () => undefined).subarray(0, good.length);
    expect(verify(bare).accepted).toBe(true);
    expect(verify(append(good, '\n')).accepted).toBe(false);
  });
});

describe('what is not PAdES baseline is called so, and refused by the default profile', () => {
  const extra = (type: string, value: Uint8Array) => (own: Uint8Array) =>
    encodeSet(...readDer(own).children.map(({ bytes }) => bytes), encodeAttribute(type, value));
  const without = (type: string) => (own: Uint8Array) =>
    encodeSet(
      ...readDer(own)
        .children.filter((node) => !Buffer.from(node.bytes).includes(Buffer.from(encodeOid(type))))
        .map(({ bytes }) => bytes),
    );
  test.each<[CheckCode, SignatureChoices]>([
    ['subfilter_not_pades', { dict: { SubFilter: name('adbe.pkcs7.detached') } }],
    ['signing_time_attribute', { cms: { attributes: extra(cmsOids.signingTime, encodeTime(new Date())) } }],
    ['signing_certificate_attribute_missing', { cms: { attributes: without(cmsOids.signingCertificateV2) } }],
    ['signing_time_missing', { dict: { M: undefined } }],
    ['certificate_entry_present', { dict: { Cert: new PdfString(new Uint8Array(3)) } }],
  ])('%s', (code, options) => {
    const file = kit.sign(input, options);
    const report = expectRefused(file, code);
    expect(report.summary).toMatch(/^Refused: intact, but not PAdES baseline: /);
    expect(report.signatures[0]?.intact).toBe(true);
    expect(verify(file, { profile: 'any-intact' }).accepted).toBe(true);
  });

  test('two SignerInfos', () => {
    const file = kit.sign(input, { contents: (digest) => doubleSigner(kit.makeCms(digest)) });
    const report = expectRefused(file, 'several_signers');
    expect(report.summary).toContain('intact, but not PAdES baseline');
  });

  test.each<[CheckCode, SignatureChoices]>([
    ['signed_attributes_wrong', { cms: { attributes: without(cmsOids.contentType) } }],
    ['signed_attributes_wrong', { cms: { attributes: without(cmsOids.messageDigest) } }],
    [
      'signed_attributes_wrong',
      { cms: { attributes: extra(cmsOids.messageDigest, encodeOctetString(new Uint8Array(32))) } },
    ],
    [
      'content_type_wrong',
      {
        cms: {
          attributes: (own) =>
            extra(cmsOids.contentType, encodeOid(cmsOids.tstInfo))(without(cmsOids.contentType)(own)),
        },
      },
    ],
    ['hash_failure', { contents: () => kit.makeCms(new Uint8Array(32)) }],
    ['cms_content_inside', { cms: { data: { content: new Uint8Array(3) } } }],
  ])('no profile accepts %s', (code, options) => {
    const file = kit.sign(input, options);
    expectRefused(file, code);
    expect(verify(file, { profile: 'any-intact' }).accepted).toBe(false);
  });
});

/** The CMS with its SignerInfo once more. */
function doubleSigner(cms: Uint8Array): Uint8Array {
  const body = readDer(cms).children[1]?.children[0];
  const signers = body?.children.at(-1);
  if (!body || !signers) throw new Error('no CMS');
  const parts = [
    ...body.children.slice(0, -1).map(({ bytes }) => bytes),
    tlv(0x31, [signers.content, signers.content]),
  ];
  return tlv(0x30, [readDer(cms).children[0]?.bytes ?? new Uint8Array(), tlv(0xa0, [tlv(0x30, parts)])]);
}

function tlv(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return new Uint8Array(Buffer.concat([Buffer.of(tag, 0x82, content.length >> 8, content.length & 0xff), content]));
}

describe('chain, time-stamp and times', () => {
  test('another root, a leaf without nonRepudiation, an ESS attribute of another certificate', () => {
    expect(verify(good, { roots: [kit.otherRoot.certificate] }).accepted).toBe(false);
    expect(verify(good, { roots: [] }).accepted).toBe(false);
    expectRefused(kit.sign(input, { cms: { signer: kit.plainLeaf } }), 'key_usage_wrong');
    expectRefused(kit.sign(input, { cms: { namedCertificate: kit.plainLeaf } }), 'signing_certificate_mismatch');
    expectRefused(kit.sign(input, { cms: { data: { certificates: [kit.leaf.certificate] } } }), 'chain_untrusted');
    expectRefused(
      kit.sign(input, { cms: { data: { certificates: [kit.ca.certificate] } } }),
      'signer_certificate_missing',
    );
  });

  test('a token of something else, by another root, by a certificate for more than time-stamps, from the future', () => {
    const token = kit.makeToken(new Uint8Array(32));
    expectRefused(kit.sign(input, { cms: { token } }), 'time_stamp_imprint_wrong');
    expectRefused(kit.sign(input, { cms: { tsu: kit.otherTsu } }), 'time_stamp_invalid');
    expectRefused(kit.sign(input, { cms: { tsu: kit.looseTsu } }), 'time_stamp_invalid');
    expectRefused(kit.sign(input, { cms: { genTime: new Date(Date.now() + hour) } }), 'time_stamp_invalid');
  });

  test('a time-stamp far from /M, before the certificate, an expired certificate without a time-stamp', () => {
    const wait = new Date(Date.now() - hour);
    expectRefused(kit.sign(input, { signingTime: wait }), 'time_order_wrong');
    const unstamped = kit.sign(input, { cms: { token: null } });
    expect(codesOf(verify(unstamped, { now: wait }))).toContain('certificate_not_yet_valid');
    const later = new Date(Date.now() + 40 * 24 * hour);
    expect(codesOf(verify(kit.sign(input, { cms: { token: null } }), { now: later }))).toContain('certificate_expired');
    // the authority's certificate has ended too: nothing else proves that the token was made before (EN 319 102-1 §5.6.2)
    expect(codesOf(verify(good, { now: later }))).toContain('time_stamp_expired');
  });
});

describe('the signature dictionary and its ByteRange', () => {
  test.each<[string, CheckCode, SignatureChoices]>([
    ['not from 0', 'byte_range_wrong', { byteRange: (a, b, c) => `[1 ${a - 1} ${b} ${c}]` }],
    ['six numbers', 'byte_range_wrong', { byteRange: (a, b, c) => `[0 ${a} ${b} ${c} 0 0]` }],
    ['negative', 'byte_range_wrong', { byteRange: (a, b) => `[0 ${a} ${b} -5]` }],
    ['a wider gap', 'byte_range_gap_wrong', { byteRange: (a, b, c) => `[0 ${a - 9} ${b} ${c}]` }],
    ['a narrower gap', 'byte_range_gap_wrong', { byteRange: (a, b, c) => `[0 ${a} ${b - 2} ${c + 2}]` }],
    ['past the end', 'byte_range_past_end', { byteRange: (a, b, c) => `[0 ${a} ${b} ${c + 1}]` }],
    ['short of the end', 'byte_range_end_wrong', { byteRange: (a, b, c) => `[0 ${a} ${b} ${c - 20}]` }],
    ['reals', 'byte_range_wrong', { byteRange: (a, b, c) => `[0.5 ${a} ${b} ${c}]` }],
    ['white space in the hex', 'contents_not_hex', { contents: (digest) => kit.makeCms(digest) }],
  ])('%s', (what, code, options) => {
    const file = kit.sign(input, options);
    const { start } = findGap(file);
    expectRefused(what.startsWith('white') ? edit(file, (copy) => copy.write(' \n', start + 11)) : file, code);
  });

  test('hex of two cases, junk or white space after the DER, an odd digit', () => {
    const { start, end } = findGap(good);
    const letter = [...good.subarray(start, end)].findIndex((byte) => byte >= 0x61 && byte <= 0x66);
    expectRefused(
      edit(good, (copy) => copy.set([(copy[start + letter] ?? 0) - 32], start + letter)),
      'contents_not_hex',
    );
    expectRefused(
      edit(good, (copy) => copy.write('01', end - 3)),
      'contents_padding_wrong',
    );
    expectRefused(
      edit(good, (copy) => copy.write('  ', end - 3)),
      'contents_not_hex',
    );
    expectRefused(
      edit(good, (copy) => copy.write('>0', end - 3)),
      'pdf_structure_damaged',
    );
  });

  test('a value in another object', () => {
    const filter = new PdfRef(openPdf(createArraySource(input)).nextObjectNumber);
    const base = updateFile(input, (update) => update.set(update.allocate(), name('Adobe.PPKLite')));
    expectRefused(kit.sign(base, { dict: { Filter: filter } }), 'signature_value_indirect');
  });

  test('a key twice, hidden by the order in which readers look', () => {
    const double = edit(
      kit.sign(input, { dict: { Location: encodeTextString('a'), Xocation: encodeTextString('b') } }),
      () => undefined,
    );
    const at = Buffer.from(double).indexOf('/Xocation');
    expectRefused(
      edit(double, (copy) => copy.write('/Location', at)),
      'signature_key_duplicate',
    );
  });

  test('a BER length, no signature at all in the Contents', () => {
    const { start } = findGap(good);
    expectRefused(
      edit(good, (copy) => copy.write('3080', start + 1)),
      'cms_not_der',
    );
    expectRefused(
      edit(good, (copy) => copy.fill('0', start + 1, findGap(good).end - 1)),
      'cms_not_der',
    );
  });
});

describe('what comes after the signed revision', () => {
  test.each<[string, CheckCode, (update: IncrementalUpdate, document: PdfDocument) => void]>([
    ['MediaBox', 'changed_after_signing', changePage({ MediaBox: [0, 0, 100, 100] })],
    ['Rotate', 'changed_after_signing', changePage({ Rotate: 90 })],
    ['OpenAction', 'changed_after_signing', setCatalog({ OpenAction: dictOf({ S: name('JavaScript') }) })],
    ['Names', 'changed_after_signing', setCatalog({ Names: dictOf({}) })],
    ['Perms', 'changed_after_signing', setCatalog({ Perms: dictOf({}) })],
    ['optional content', 'changed_after_signing', setCatalog({ OCProperties: dictOf({}) })],
    ['a font', 'changed_after_signing', replaceReferenced('Font')],
    ['the page tree', 'changed_after_signing', addPage],
    ['an annotation', 'annotations_changed', addAnnotation],
    ['a text field', 'changed_after_signing', addTextField],
    ['the form dropped', 'signature_dropped', setCatalog({ AcroForm: null })],
    ['the form without its fields', 'signature_dropped', setCatalog({ AcroForm: dictOf({ Fields: [], SigFlags: 3 }) })],
    ['a second field on the signature', 'signature_shared', shareSignature],
  ])('%s', (_what, code, change) => {
    const report = expectRefused(updateFile(good, change), code);
    expect(report.accepted).toBe(false);
    // and neither a time-stamp nor another signature on top makes it good
    if (!code.startsWith('signature_')) {
      expect(verify(kit.timeStamp(updateFile(good, change))).accepted).toBe(false);
      expect(verify(kit.sign(updateFile(good, change))).accepted).toBe(false);
    }
  });

  test('a form filled that nobody allowed, or that the certification forbids', () => {
    expectRefused(updateFile(kit.sign(withForm), fillField), 'changed_after_signing');
    expectRefused(kit.timeStamp(updateFile(kit.sign(withForm), fillField)), 'changed_after_signing');
    expectRefused(updateFile(kit.sign(withForm, certify(1)), fillField), 'certification_violated');
    expectRefused(kit.sign(updateFile(kit.sign(withForm, certify(1)), fillField)), 'certification_violated');
    const moved = updateFile(kit.sign(withForm, certify(2)), (update, document) => {
      const field = listFormFields(document).find(({ type }) => type === 'Tx');
      if (field?.ref) update.set(field.ref, field.dict.with({ Rect: [0, 0, 600, 800] }));
    });
    expectRefused(moved, 'changed_after_signing');
  });

  test('a signature over P=1, a visible one over a certified document, a visible document time-stamp', () => {
    const visible = { field: { Rect: [0, 0, 595, 842] } };
    expectRefused(kit.sign(kit.sign(input, certify(1))), 'certification_violated');
    expectRefused(kit.sign(kit.sign(input, certify(2)), visible), 'certification_violated');
    expectRefused(kit.timeStamp(good, visible), 'changed_after_signing');
    expectRefused(kit.sign(kit.sign(input), { field: { AA: dictOf({}) } }), 'changed_after_signing');
  });

  test('a lock of the fields', () => {
    const lock = { field: { Lock: dictOf({ Type: name('SigFieldLock'), Action: name('All') }) } };
    expectRefused(kit.sign(kit.sign(input, lock)), 'certification_violated');
    expect(verify(kit.timeStamp(kit.sign(input, lock))).accepted).toBe(true);
  });

  test('metadata that are also the content of a page', () => {
    const shared = updateFile(input, (update, document) => {
      const page = findFirstPage(document);
      update.set(document.catalogRef, document.catalog.with({ Metadata: page.dict.find('Contents') ?? null }));
    });
    const signed = kit.sign(shared);
    const { start } = findGap(signed);
    expect(start).toBeGreaterThan(0);
    const page = findFirstPage(openPdf(createArraySource(signed)));
    const stream = page.dict.find('Contents');
    expectRefused(
      redefine(
        signed,
        String(stream).split(' ')[0] ?? '',
        '<< /Type /Metadata /Subtype /XML /Length 3 >>\nstream\nabc\nendstream',
      ),
      'changed_after_signing',
    );
  });

  test('a reference that led nowhere when it was signed', () => {
    const dangling = updateFile(input, (update, document) => {
      const page = findFirstPage(document);
      update.set(page.ref, page.dict.with({ Annots: [new PdfRef(900)] }));
    });
    expectRefused(
      redefine(kit.sign(dangling), '900', '<< /Type /Annot /Subtype /Stamp /Rect [0 0 595 842] >>'),
      'changed_after_signing',
    );
  });

  test('a hidden twin that the table is switched to', () => {
    const twin = '3 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>\nendobj\n';
    const text = Buffer.from(input).toString('latin1');
    const at = text.lastIndexOf('xref\n0 ');
    const hidden = Buffer.from(
      `${text.slice(0, at)}${twin}${text.slice(at).replace(/startxref\n\d+/, `startxref\n${at + twin.length}`)}`,
      'latin1',
    );
    const signed = kit.sign(new Uint8Array(hidden));
    expect(verify(signed).accepted).toBe(true);
    expectRefused(appendTable(signed, '', [[3, at]]), 'changed_after_signing');
  });

  test('a page whose second /Contents is another one than the first', () => {
    const { ref, dict } = findFirstPage(openPdf(createArraySource(good)));
    const [contents, annotations] = [String(dict.find('Contents')), (dict.find('Annots') as PdfRef[]).map(String)];
    const page = `<< /Type /Page /Parent ${String(dict.find('Parent'))} /Resources << /Font << /F1 3 0 R >> >>`;
    const value = `${page} /Contents ${contents} /Contents 1 0 R /Annots [${annotations.join(' ')}] >>`;
    expectRefused(redefine(good, String(ref.number), value), 'changed_after_signing');
  });

  test('an object that is there only when something follows the signed revision', () => {
    // the entry leads behind the end: whoever signs sees nothing there
    const size = 40_000;
    const ahead = kit.sign(appendTable(input, '', [[7, size]]));
    expect(ahead.length).toBeLessThan(size);
    const named = updateFile(input, changePage({ Annots: [new PdfRef(7)] }));
    const signed = kit.sign(appendTable(named, '', [[7, size]]));
    const filler = ' '.repeat(size - signed.length);
    const body = `${filler}7 0 obj\n<< /Type /Annot /Subtype /Stamp /Rect [0 0 595 842] >>\nendobj\n`;
    expect(verify(appendTable(signed, body, [])).accepted).toBe(false);
    expect(verify(appendTable(signed, body, [[7, size]])).accepted).toBe(false);
  });

  test('an update whose table hides a stream, appearances that are made anew', () => {
    const stream = `90 0 obj\n<< /Type /XRef /Size 91 /Index [90 1] /W [1 4 2] /Length 7 >>\nstream\n\x01`;
    const at = Buffer.alloc(4);
    at.writeUInt32BE(good.length);
    const body = `${stream}${at.toString('latin1')}\0\0\nendstream\nendobj\n`;
    expectRefused(appendTable(good, body, [[90, good.length]], `/XRefStm ${good.length} `), 'changed_after_signing');
    const anew = updateFile(kit.sign(withForm, certify(2)), (update, document) => {
      const ref = document.catalog.find('AcroForm') as PdfRef;
      update.set(ref, document.getDict(ref, 'form').with({ NeedAppearances: true }));
    });
    expectRefused(anew, 'changed_after_signing');
  });

  test('a page that readers must guess at: a key twice, a wrong generation, not there, content in another file', () => {
    const { ref, dict } = findFirstPage(openPdf(createArraySource(input)));
    const parent = dict.find('Parent');
    if (!(parent instanceof PdfRef)) throw new Error('an unusual page');
    const secondPage = (text: string): Uint8Array => {
      const pages = `${parent.number} 0 obj\n<< /Type /Pages /Kids [${ref} 900 0 R] /Count 2 >>\nendobj\n`;
      const body = `${pages}900 0 obj\n${text}\nendobj\n901 0 obj\n<< /Length 0 /F (a) >>\nstream\n\nendstream\nendobj\n`;
      const offsetOf = (number: number): number => input.length + body.indexOf(`${number} 0 obj`);
      const entries = [parent.number, 900, 901].map((number) => [number, offsetOf(number)] as const);
      return kit.sign(appendTable(input, body, entries));
    };
    const start = `<< /Type /Page /Parent ${parent} /MediaBox [0 0 200 200] /Resources << >>`;
    expect(codesOf(verify(secondPage(`${start} >>`)))).toEqual([]);
    expectRefused(secondPage(`${start} /Rotate 0 /#52otate 90 >>`), 'pdf_structure_damaged');
    expectRefused(secondPage(`${start} /Contents 901 7 R >>`), 'pdf_structure_damaged');
    expectRefused(secondPage(`${start} /Contents [990 0 R] >>`), 'pdf_structure_damaged');
    expectRefused(secondPage('<< /Type /Pages /Kids [990 0 R] /Count 1 >>'), 'pdf_structure_damaged');
    expectRefused(secondPage(`${start} /Contents 901 0 R >>`), 'pdf_structure_damaged');
  });

  test('an update that says the document has fewer objects than before', () => {
    const table = Buffer.from(appendTable(good, '', [[0, 0]])).toString('latin1');
    const shrunk = table.replace(/\/Size \d+(?![\s\S]*\/Size)/, ({ length }) => '/Size 1'.padEnd(length));
    expectRefused(new Uint8Array(Buffer.from(shrunk, 'latin1')), 'changed_after_signing');
  });

  test('defaults that other fields are drawn by, added to a form that may not be filled', () => {
    const setDefault = (entries: Record<string, PdfObject>) => (update: IncrementalUpdate, document: PdfDocument) => {
      const ref = document.catalog.find('AcroForm') as PdfRef;
      update.set(ref, document.getDict(ref, 'form').with(entries));
    };
    const defaults: readonly Record<string, PdfObject>[] = [
      { DA: encodeTextString('/F 0 Tf 1 g') },
      { Q: 2 },
      { DR: dictOf({ Font: dictOf({}) }) },
    ];
    for (const entries of defaults) {
      const change = setDefault(entries);
      expectRefused(updateFile(kit.sign(withForm, certify(1)), change), 'certification_violated');
      expectRefused(updateFile(kit.sign(withForm), change), 'changed_after_signing');
      expect(codesOf(verify(updateFile(kit.sign(withForm, certify(2)), change)))).toEqual([]);
    }
  });

  test('a field that is read-only and not calculated, a push button', () => {
    const setFlags = (entries: Record<string, PdfObject>) =>
      updateFile(withForm, (update, document) => {
        const field = listFormFields(document).find(({ type }) => type === 'Tx');
        if (field?.ref) update.set(field.ref, field.dict.with(entries));
      });
    const change = (update: IncrementalUpdate, document: PdfDocument): void => {
      const field = listFormFields(document).find(({ type }) => type !== 'Sig');
      if (field?.ref) update.set(field.ref, field.dict.with({ V: encodeTextString('filled') }));
    };
    const readOnly = kit.sign(setFlags({ Ff: 1 }), certify(2));
    expectRefused(updateFile(readOnly, change), 'changed_after_signing');
    expectRefused(
      updateFile(kit.sign(setFlags({ FT: name('Btn'), Ff: 65_536 }), certify(2)), change),
      'changed_after_signing',
    );
    const sum = dictOf({ C: dictOf({ S: name('JavaScript'), JS: encodeTextString('1') }) });
    expect(codesOf(verify(updateFile(kit.sign(setFlags({ Ff: 1, AA: sum }), certify(2)), change)))).toEqual([]);
  });

  test('bytes after the end, a body without a table, a second header, bytes in front', () => {
    expectRefused(append(good, 'junk'), 'pdf_bytes_after_end');
    expectRefused(append(good, '3 0 obj\n<< >>\nendobj\n'), 'pdf_bytes_after_end');
    expectRefused(append(good, '%PDF-1.4\n%%EOF\n'), 'pdf_bytes_after_end');
    expectRefused(new Uint8Array(Buffer.concat([Buffer.from('x\n'), good])), 'pdf_header_misplaced');
    const unlisted = appendTable(good, '3 0 obj\n<< /Type /Font >>\nendobj\n', []);
    expectRefused(unlisted, 'unsigned_bytes');
  });

  test('another catalog, an encryption dictionary, a table that leaves the signed revision out', () => {
    expectRefused(appendTable(good, '', [], '/Root 2 0 R '), 'pdf_structure_damaged');
    expectRefused(appendTable(good, '', [], '/Encrypt << /Filter /Standard >> '), 'pdf_structure_damaged');
    const document = openPdf(createArraySource(good));
    const oldest = document.sections.at(-1)?.offset ?? 0;
    expect(verify(appendTable(good, '', [], '', oldest)).accepted).toBe(false);
  });
});

function setCatalog(change: Record<string, PdfObject>) {
  return (update: IncrementalUpdate, document: PdfDocument): void =>
    update.set(document.catalogRef, document.catalog.with(change));
}

function replaceReferenced(type: string) {
  return (update: IncrementalUpdate, document: PdfDocument): void => {
    for (let number = 1; number < document.nextObjectNumber; number++) {
      const value = document.resolve(new PdfRef(number));
      if (value instanceof PdfDict && String((value.find('Type') as PdfName | undefined)?.value) === type) {
        return update.set(new PdfRef(number), value.with({ BaseFont: name('Symbol') }));
      }
    }
  };
}

function addPage(update: IncrementalUpdate, document: PdfDocument): void {
  const pages = document.catalog.find('Pages') as PdfRef;
  const page = update.allocate();
  update.set(page, dictOf({ Type: name('Page'), Parent: pages }));
  const dict = document.getDict(pages, 'pages');
  update.set(pages, dict.with({ Kids: [...(dict.find('Kids') as PdfObject[]), page], Count: 2 }));
}

function addAnnotation(update: IncrementalUpdate, document: PdfDocument): void {
  const page = findFirstPage(document);
  const annotation = update.allocate();
  update.set(annotation, dictOf({ Type: name('Annot'), Subtype: name('Square'), Rect: [0, 0, 595, 842] }));
  update.set(page.ref, page.dict.with({ Annots: [...(page.dict.find('Annots') as PdfObject[]), annotation] }));
}

function addTextField(update: IncrementalUpdate, document: PdfDocument): void {
  const field = update.allocate();
  update.set(field, dictOf({ FT: name('Tx'), T: encodeTextString('new'), V: encodeTextString('x') }));
  const ref = document.catalog.find('AcroForm') as PdfRef;
  const form = document.getDict(ref, 'form');
  update.set(ref, form.with({ Fields: [...(form.find('Fields') as PdfObject[]), field] }));
}

function shareSignature(update: IncrementalUpdate, document: PdfDocument): void {
  const [signed] = listFormFields(document);
  const field = update.allocate();
  update.set(
    field,
    dictOf({ FT: name('Sig'), T: encodeTextString('again'), V: signed?.value ?? null, Rect: [0, 0, 0, 0] }),
  );
  const ref = document.catalog.find('AcroForm') as PdfRef;
  const form = document.getDict(ref, 'form');
  update.set(ref, form.with({ Fields: [...(form.find('Fields') as PdfObject[]), field] }));
}

/** An update by hand: body, entries (absolute offsets), more of the trailer. */
function appendTable(
  file: Uint8Array,
  body: string,
  entries: readonly (readonly [number, number])[],
  trailer = '',
  previous?: number,
): Uint8Array {
  const document = openPdf(createArraySource(file));
  const start = file.length + body.length;
  const rows = entries
    .map(([number, offset]) => `${number} 1\n${String(offset).padStart(10, '0')} 00000 n \n`)
    .join('');
  const root = trailer.includes('/Root') ? '' : `/Root ${document.catalogRef} `;
  const prev = previous ?? document.sections[0]?.offset ?? 0;
  const table = `xref\n${rows || '0 0\n'}trailer\n<< /Size ${Math.max(document.nextObjectNumber, 1000)} ${root}/Prev ${prev} ${trailer}>>\n`;
  return append(file, `${body}${table}startxref\n${start}\n%%EOF\n`);
}

function redefine(file: Uint8Array, number: string, value: string): Uint8Array {
  return appendTable(file, `${number} 0 obj\n${value}\nendobj\n`, [[Number(number), file.length]]);
}

describe('no file brings it down, and no byte of a seal can change', () => {
  test('300 changed bytes anywhere in the file are refused', () => {
    const seed = randomBytes(4).readUInt32LE(); // a failure prints it
    const accepted: string[] = [];
    for (const from of [1, seed]) {
      let state = from >>> 0;
      const next = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const { start } = findGap(good);
      const cmsLength =
        2 *
        (4 + Buffer.from(Buffer.from(good.subarray(start + 1, start + 9)).toString('latin1'), 'hex').readUInt16BE(2));
      for (let run = 0; run < 150; run++) {
        // half of them in the CMS: it is a small part of the file
        const at = run % 2 === 0 ? next(good.length) : start + 1 + next(cmsLength);
        const byte = run % 4 < 2 ? next(256) : (good[at] ?? 0) ^ (1 << next(8));
        if (byte === good[at]) continue;
        if (verify(edit(good, (copy) => copy.set([byte], at))).accepted)
          accepted.push(`seed ${from}: ${byte} at ${at}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  test('a bit in every eleventh byte of the CMS is refused', () => {
    const { start } = findGap(good);
    const cms = Buffer.from(Buffer.from(good.subarray(start + 1, findGap(good).end - 1)).toString('latin1'), 'hex');
    const length = 4 + cms.readUInt16BE(2);
    const accepted: number[] = [];
    for (let at = 0; at < length; at += 11) {
      const changed = Buffer.from(cms);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      if (verify(edit(good, (copy) => copy.write(changed.toString('hex'), start + 1))).accepted) accepted.push(at);
    }
    expect(accepted).toEqual([]);
  });

  test('what is no PDF is unreadable; what was cut off is refused where it claims to be signed', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), randomBytes(4096)]) {
      expect(verify(new Uint8Array(bytes))).toMatchObject({ readable: false, accepted: false });
    }
    expect(verify(good.subarray(0, good.length - 40))).toMatchObject({ readable: true, accepted: false });
    expect(verify(input)).toMatchObject({
      readable: true,
      accepted: false,
      summary: 'Refused: The PDF is not signed.',
    });
  });

  test('a file with only a document time-stamp is not signed', () => {
    expectRefused(kit.timeStamp(input), 'pdf_only_time_stamped');
  });

  test('the verdict can be about the last signature, or one field', () => {
    const file = kit.sign(kit.sign(input, { dict: { SubFilter: name('adbe.pkcs7.detached') } }));
    expect(verify(file).accepted).toBe(false);
    expect(verify(file, { only: 'last' }).accepted).toBe(true);
    const [first, second] = verify(file).signatures.map(({ field }) => field ?? '');
    expect(verify(file, { only: { field: first ?? '' } }).accepted).toBe(false);
    expect(verify(file, { only: { field: second ?? '' } }).accepted).toBe(true);
    expect(verify(file, { only: { field: 'none' } }).accepted).toBe(false);
  });
});
