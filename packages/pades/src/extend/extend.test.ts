import { createHash, sign } from 'node:crypto';
import { SigillumError } from '@sigillum/errors';
import {
  addValidationData,
  appendToInput,
  appendToSource,
  assembleDocumentTimeStamp,
  estimateTokenRoom,
  prepareDocumentTimeStamp,
  type RevocationRequest,
  type RevocationSource,
  sealDocument,
  type SignatureReport,
  type UnstampedDocument,
  type ValidationOptions,
  type ValidationReport,
  validateSignatures,
} from '@sigillum/pades';
import {
  createArraySource,
  encodeTextString,
  IncrementalUpdate,
  isPdfArray,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  PdfRef,
} from '@sigillum/pdf';
import { parseCertificate } from '@sigillum/pki';
import {
  createSoftwareInput,
  createSoftwareTimeStamps,
  extendBySoftware,
  makeSamplePdf,
  makeSoftwareCrl,
  makeSoftwareOcsp,
  rewriteWithQpdf,
  sealAtLevel,
  type SoftwareIdentity,
  SoftwarePki,
  SoftwareRevocation,
} from '@sigillum/testing';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { chooseExtendable } from './choose-extendable.ts';

const hour = 3_600_000;
const input = makeSamplePdf('classic');
const zeros = (length: number): Uint8Array => new Uint8Array(length);
let pki: SoftwarePki;

beforeAll(async () => {
  pki = await SoftwarePki.make('Extending', new Date(), 3650);
});

function validate(bytes: Uint8Array, more: Partial<ValidationOptions> = {}): ValidationReport {
  return validateSignatures(createArraySource(bytes), { roots: [pki.root.certificate], now: new Date(), ...more });
}

function codesOf(report: ValidationReport): readonly string[] {
  return [...report.findings, ...report.signatures.flatMap(({ findings }) => findings)]
    .filter(({ severity }) => severity !== 'note')
    .map(({ code }) => code);
}

function formatsOf(bytes: Uint8Array, more: Partial<ValidationOptions> = {}): readonly (string | undefined)[] {
  return validate(bytes, more).signatures.map(({ format }) => format);
}

async function signWithoutTimeStamp(): Promise<{ bytes: Uint8Array; signed: UnstampedDocument }> {
  const signed = await sealDocument({
    level: 'b-b',
    input: createSoftwareInput(input, 'sha256'),
    credential: { certificate: pki.leaf.certificate, chain: pki.leaf.chain, algorithm: 'ecdsa-p256-sha256' },
    options: { signingTime: pki.now },
    ports: {
      sign: ({ signedAttributes }) => Promise.resolve(signBy(signedAttributes)),
      now: () => pki.now,
      random: zeros,
    },
  });
  return { bytes: Buffer.concat([input, signed.increment]), signed };
}

/** How many values each list of the store has. */
function countStore(bytes: Uint8Array): readonly number[] {
  const document = openPdf(createArraySource(bytes));
  const store = document.findDict(document.catalog.find('DSS'), 'DSS');
  return ['Certs', 'CRLs', 'OCSPs'].map((key) => {
    const list = store && document.find(store, key);
    return isPdfArray(list) ? list.length : 0;
  });
}

function update(bytes: Uint8Array, change: (update: IncrementalUpdate, document: PdfDocument) => void): Uint8Array {
  const document = openPdf(createArraySource(bytes));
  const changes = new IncrementalUpdate(document, zeros);
  change(changes, document);
  return Buffer.concat([bytes, changes.encode().bytes]);
}

const serialOf = ({ certificate }: SoftwareIdentity): string => parseCertificate(certificate).serialNumber;

describe('sealing at a level', () => {
  test('is B-T unless another level is asked for, and asks for no revocation data then', async () => {
    const revocation: RevocationSource = { collect: () => Promise.reject(new Error('asked')) };
    const { bytes, sealed } = await sealAtLevel(input, pki, { level: 'b-t', revocation });
    expect([sealed.level, ...formatsOf(bytes)]).toEqual(['b-t', 'PAdES-BASELINE-T']);
    expect(validate(bytes).notChecked).toEqual(['revocation', 'trust_lists']);
  });

  test('makes B-B only when asked for it by name', async () => {
    const { bytes, signed } = await signWithoutTimeStamp();
    expect([signed.level, signed.size, ...formatsOf(bytes)]).toEqual(['b-b', bytes.length, 'PAdES-BASELINE-B']);
    await expect(extendBySoftware(bytes, pki, { to: 'b-lt' })).rejects.toMatchObject({
      code: 'extension_no_time_stamp',
    });
  });

  test('asks about the chains of signer and TSA, with what the file holds of them', async () => {
    const revocation = new SoftwareRevocation(pki, { now: () => pki.now });
    await sealAtLevel(input, pki, { level: 'b-lta', revocation });
    const asked = revocation.requests.map(({ certificates, at, notBefore }) => [certificates, at, notBefore]);
    expect(asked).toEqual([
      [[pki.leaf.certificate, pki.issuing.certificate], pki.now, undefined],
      [[pki.tsu.certificate, pki.tsa.certificate], pki.now, undefined],
    ]);
  });

  test('says how new the data about the signer must be', async () => {
    const asked = async (
      freshness: 'after-time-stamp' | { maxAgeMs: number },
    ): Promise<readonly RevocationRequest[]> => {
      const revocation = new SoftwareRevocation(pki, { now: () => pki.now });
      await sealAtLevel(input, pki, { level: 'b-lt', revocation, freshness });
      return revocation.requests;
    };
    expect((await asked('after-time-stamp')).map(({ notBefore }) => notBefore)).toEqual([pki.now, undefined]);
    const anHourAgo = new Date(pki.now.getTime() - hour);
    expect((await asked({ maxAgeMs: hour })).map(({ notBefore }) => notBefore)).toEqual([anHourAgo, undefined]);
  });

  test('gives nothing at all when revocation data can not be had, or says revoked', async () => {
    const entry = { time: new Date(pki.now.getTime() - hour), reason: undefined };
    const revoked = new SoftwareRevocation(pki, {
      now: () => pki.now,
      revoked: new Map([[serialOf(pki.leaf), entry]]),
    });
    const none: RevocationSource = {
      collect: () => Promise.reject(new SigillumError('revocation_unavailable', 'Nobody answers.')),
    };
    for (const level of ['b-lt', 'b-lta'] as const) {
      await expect(sealAtLevel(input, pki, { level, revocation: revoked })).rejects.toMatchObject({
        code: 'revocation_revoked',
      });
      await expect(sealAtLevel(input, pki, { level, revocation: none })).rejects.toMatchObject({
        code: 'revocation_unavailable',
      });
    }
  });

  test('prepares again when a token is larger than the room left for it', async () => {
    const { bytes, sealed } = await sealAtLevel(input, pki, { level: 'b-lta', lastTokenSize: 1 });
    expect(sealed.documentTimeStampToken?.der.length).toBeGreaterThan(1000);
    expect(validate(bytes, { requiresRevocation: true }).accepted).toBe(true);
    const { bytes: extended } = await extendBySoftware(bytes, pki, { to: 'b-lta', lastTokenSize: 1 });
    expect(validate(extended, { requiresRevocation: true }).accepted).toBe(true);
  });

  test('reads little of a large file, however many updates follow, and hashes it once', async () => {
    const large = makeSamplePdf('classic', { padding: 20_000_000 });
    const state = createHash('sha256').update(large);
    const whole = createArraySource(large);
    let [bytesRead, hashed] = [0, 0];
    const { sealed } = await sealAtLevel(input, pki, { level: 'b-lta' });
    const archived = await sealDocument({
      level: 'b-lta',
      input: {
        source: {
          size: whole.size,
          read: (offset, length) => {
            bytesRead += length;
            return whole.read(offset, length);
          },
        },
        prefixHash: {
          algorithm: 'sha256',
          finish: (parts) => {
            const hash = state.copy();
            for (const part of parts) {
              hashed += part.length;
              hash.update(part);
            }
            return hash.digest();
          },
        },
      },
      credential: { certificate: pki.leaf.certificate, chain: pki.leaf.chain, algorithm: 'ecdsa-p256-sha256' },
      options: { signingTime: pki.now, reason: 'Approved' },
      revocation: new SoftwareRevocation(pki, { now: () => pki.now }),
      ports: {
        sign: ({ signedAttributes }) => Promise.resolve(signBy(signedAttributes)),
        timeStamps: createSoftwareTimeStamps(pki, pki.now),
        now: () => pki.now,
        random: zeros,
      },
    });
    expect(bytesRead).toBeLessThan(200_000);
    expect(hashed).toBeLessThan(100_000);
    expect(archived.increment.length).toBeLessThan(sealed.increment.length + 1000);
    const report = validate(Buffer.concat([large, archived.increment]), { requiresRevocation: true });
    expect(report.summary).toMatch(/^Accepted/);
  });

  test('is the same, byte for byte, when the building blocks are used one after the other', async () => {
    const { sealed } = await sealAtLevel(input, pki, { level: 'b-lta', random: zeros });
    const bottom = createSoftwareInput(input, 'sha256');
    // what was embedded, read back from the file
    const whole = Buffer.concat([input, sealed.increment]);
    const document = openPdf(createArraySource(whole));
    const store = document.getDict(document.catalog.find('DSS'), 'DSS');
    const values = (key: string) => {
      const list = document.find(store, key);
      return (isPdfArray(list) ? list : []).map((entry) => {
        const stream = document.resolve(entry);
        return stream && typeof stream === 'object' && 'dataOffset' in stream ? document.readStream(stream) : zeros(0);
      });
    };
    const token = sealed.documentTimeStampToken;
    if (!token) throw new Error('no token');
    const seal = sealed.increment.subarray(0, Buffer.from(sealed.increment).indexOf('%%EOF\n') + 6);
    const withSeal = appendToInput(bottom, seal);
    const dss = addValidationData(
      withSeal.source,
      { certificates: values('Certs'), crls: values('CRLs'), ocsps: values('OCSPs') },
      zeros,
    );
    const withDss = appendToInput(withSeal, dss);
    const contentsSize = estimateTokenRoom(sealed.timeStampToken.der.length);
    const stamp = assembleDocumentTimeStamp(prepareDocumentTimeStamp(withDss, { contentsSize }, zeros), token);
    expect(Buffer.concat([seal, dss, stamp]).equals(sealed.increment)).toBe(true);
    const another = await createSoftwareTimeStamps(pki, pki.now).request({
      algorithm: 'sha256',
      digest: createHash('sha256').digest(),
    });
    expect(() =>
      assembleDocumentTimeStamp(prepareDocumentTimeStamp(withDss, { contentsSize }, zeros), another),
    ).toThrow('not one of this document');
  });
});

describe('validation data', () => {
  test('what the store holds already is not added again, but one value that makes it newer than what was signed', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-lt' });
    expect(countStore(bytes)).toEqual([1, 3, 0]);
    const crl = pki.crls[0] ?? zeros(0);
    const data = { certificates: [pki.root.certificate, pki.root.certificate], crls: [crl, crl], ocsps: [] };
    const once = Buffer.concat([bytes, addValidationData(createArraySource(bytes), data, zeros)]);
    expect(countStore(once)).toEqual([1, 4, 0]);
    const twice = Buffer.concat([once, addValidationData(createArraySource(once), data, zeros)]);
    expect(countStore(twice)).toEqual([2, 4, 0]);
    const none = { certificates: [], crls: [], ocsps: [] };
    expect(addValidationData(createArraySource(once), none, zeros)).toHaveLength(0);
  });

  test('a store from before a signature makes no B-LT of it; extending writes it again', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-lt' });
    const { bytes: twice } = await sealAtLevel(bytes, pki, { level: 'b-t' });
    expect(formatsOf(twice)).toEqual(['PAdES-BASELINE-LT', 'PAdES-BASELINE-T']);
    const { bytes: after, extended } = await extendBySoftware(twice, pki, { to: 'b-lt' });
    expect(extended.from).toBe('b-t');
    expect(formatsOf(after)).toEqual(['PAdES-BASELINE-LT', 'PAdES-BASELINE-LT']);
  });

  test('entries for single signatures, lists of their own and unknown keys stay as they are', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t' });
    const foreign = update(bytes, (changes, document) => {
      const [store, list, stream] = [changes.allocate(), changes.allocate(), changes.allocate()];
      changes.set(stream, new PdfNewStream(new PdfDict(), pki.crls[0] ?? zeros(0)));
      changes.set(list, [stream]);
      const entry = new PdfDict([['CRL', [stream]]]);
      const vri = new PdfDict([['0123456789ABCDEF0123456789ABCDEF01234567', entry]]);
      changes.set(
        store,
        new PdfDict([
          ['CRLs', list],
          ['VRI', vri],
        ]),
      );
      changes.set(document.catalogRef, document.catalog.with({ DSS: store }));
    });
    const { bytes: extended } = await extendBySoftware(foreign, pki, { to: 'b-lta' });
    expect(countStore(extended)).toEqual([1, 4, 0]);
    const document = openPdf(createArraySource(extended));
    const store = document.getDict(document.catalog.find('DSS'), 'DSS');
    expect(document.getDict(store.find('VRI'), 'VRI').has('0123456789ABCDEF0123456789ABCDEF01234567')).toBe(true);
    expect(validate(extended, { requiresRevocation: true }).accepted).toBe(true);
  });

  test('a source with bytes behind it reads across the border, and nowhere else', () => {
    const source = appendToSource(createArraySource(Uint8Array.of(1, 2, 3)), Uint8Array.of(4, 5));
    const reads = [source.read(0, 3), source.read(1, 4), source.read(3, 2), source.read(2, 2), source.read(5, 0)];
    expect(reads.map((bytes) => [...bytes])).toEqual([[1, 2, 3], [2, 3, 4, 5], [4, 5], [3, 4], []]);
    expect(() => source.read(4, 2)).toThrow(RangeError);
    expect(() => source.read(-1, 2)).toThrow(RangeError);
  });
});

describe('extending', () => {
  test('goes from B-T to B-LT to B-LTA and on, each time with the prefix unchanged', async () => {
    const { bytes } = await sealAtLevel(makeSamplePdf('object-streams'), pki, { level: 'b-t' });
    let last: Uint8Array = bytes;
    for (const [to, from, format] of [
      ['b-lt', 'b-t', 'PAdES-BASELINE-LT'],
      ['b-lta', 'b-lt', 'PAdES-BASELINE-LTA'],
      ['b-lta', 'b-lta', 'PAdES-BASELINE-LTA'],
    ] as const) {
      const { bytes: next, extended } = await extendBySoftware(last, pki, { to });
      expect([extended.from, extended.to, formatsOf(next)[0], extended.size]).toEqual([from, to, format, next.length]);
      expect(Buffer.from(next.subarray(0, last.length)).equals(last)).toBe(true);
      expect(validate(next, { requiresRevocation: true }).summary).toMatch(/^Accepted/);
      last = next;
    }
    const { extended } = await extendBySoftware(last, pki, { to: 'b-lt' });
    expect([extended.increment.length, extended.to]).toEqual([0, 'b-lta']);
  });

  test('adds chain and lists of the last TSA before it renews, and those of another new one afterwards', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-lta' });
    const now = new Date(pki.now.getTime() + hour);
    const revocation = new SoftwareRevocation(pki, { now: () => now });
    const tsu = pki.issueUnit('another TSU');
    const { bytes: renewed } = await extendBySoftware(bytes, pki, { to: 'b-lta', now, revocation, tsu });
    const leaves = revocation.requests.map(({ certificates: [leaf] }) => leaf);
    expect(leaves).toEqual([pki.tsu.certificate, tsu.certificate]);
    expect(validate(renewed, { now, requiresRevocation: true }).summary).toMatch(/^Accepted/);
  });

  test('asks once about a signer and a TSU, however many signatures they made', async () => {
    let bytes: Uint8Array = input;
    for (let count = 0; count < 3; count++) ({ bytes } = await sealAtLevel(bytes, pki, { level: 'b-t' }));
    const revocation = new SoftwareRevocation(pki, { now: () => pki.now });
    const { bytes: extended } = await extendBySoftware(bytes, pki, { to: 'b-lta', revocation });
    const leaves = revocation.requests.map(({ certificates: [leaf] }) => leaf);
    expect(leaves).toEqual([pki.leaf.certificate, pki.tsu.certificate]);
    expect(validate(extended, { requiresRevocation: true }).summary).toMatch(/^Accepted: all 3/);
  });

  test('takes issuers that the signature lacks from where the source finds them, and keeps them in the file', async () => {
    const orphan = { ...pki.issueSeal('orphan', { caIssuersUrl: 'http://192.0.2.1/ca.cer' }), chain: [] };
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t', signer: orphan });
    expect(codesOf(validate(bytes))).toEqual(['chain_untrusted']);
    const revocation = new SoftwareRevocation(pki, { now: () => pki.now, issuers: [pki.issuing.certificate] });
    const { bytes: extended } = await extendBySoftware(bytes, pki, { to: 'b-lta', revocation });
    expect(validate(extended, { requiresRevocation: true }).summary).toMatch(/^Accepted/);
    await expect(extendBySoftware(bytes, pki, { to: 'b-lta' })).rejects.toMatchObject({ code: 'revocation_untrusted' });
    // A stranger's address is not fetched for a signature that is over something else.
    const changed = Buffer.from(bytes);
    changed[input.indexOf(0x54)] = 0x55;
    const asked = new SoftwareRevocation(pki, { now: () => pki.now, issuers: [pki.issuing.certificate] });
    await expect(extendBySoftware(changed, pki, { to: 'b-lta', revocation: asked })).rejects.toMatchObject({
      code: 'extension_signature_invalid',
    });
    expect(asked.requests).toEqual([]);
  });

  test('refuses what ends at no root, was changed, is not signed, or came too late', async () => {
    const strangers = await SoftwarePki.make('Strangers');
    const { bytes } = await sealAtLevel(input, strangers, { level: 'b-t' });
    await expect(extendBySoftware(bytes, pki, { to: 'b-lt' })).rejects.toMatchObject({ code: 'revocation_untrusted' });
    const { bytes: own } = await sealAtLevel(input, pki, { level: 'b-t', tsu: pki.issueUnit('brief TSU') });
    const broken = Buffer.from(own);
    broken[input.indexOf(0x54)] = 0x55;
    await expect(extendBySoftware(broken, pki, { to: 'b-lt' })).rejects.toMatchObject({
      code: 'extension_signature_invalid',
    });
    await expect(extendBySoftware(input, pki, { to: 'b-lt' })).rejects.toMatchObject({ code: 'extension_unsigned' });
    await expect(extendBySoftware(zeros(10), pki, { to: 'b-lt' })).rejects.toMatchObject({
      code: 'pdf_header_missing',
    });
    const late = new Date(pki.now.getTime() + 40 * 24 * hour);
    await expect(extendBySoftware(own, pki, { to: 'b-lta', now: late })).rejects.toMatchObject({
      code: 'extension_signature_invalid',
    });
  });

  test('one of ours is extended and renewed beside a signature that can not be, which is named', async () => {
    const strangers = await SoftwarePki.make('Strangers');
    const unstamped = await signWithoutTimeStamp();
    const { bytes: theirs } = await sealAtLevel(unstamped.bytes, strangers, { level: 'b-t' });
    const { bytes } = await sealAtLevel(theirs, pki, { level: 'b-t' });
    const last = { only: 'last' } as const;
    const { bytes: archived, extended } = await extendBySoftware(bytes, pki, { to: 'b-lta' });
    expect(extended.from).toBe('b-t');
    expect(extended.leftAlone).toEqual([
      { field: 'Signature1', code: 'extension_no_time_stamp', reason: expect.stringMatching('has no time-stamp') },
      { field: 'Signature2', code: 'extension_signature_invalid', reason: expect.stringMatching('is not valid') },
    ]);
    expect(validate(archived, last).accepted).toBe(true);
    expect(formatsOf(archived, last)[2]).toBe('PAdES-BASELINE-LTA');
    const again = await extendBySoftware(archived, pki, { to: 'b-lta' });
    // the document time-stamp tells when the one without its own was made
    expect(again.extended.leftAlone.map(({ field }) => field)).toEqual(['Signature2']);
    expect(validate(again.bytes, last).accepted).toBe(true);
  });

  test('a form filled after ours is covered by a later signature that is valid, and by no other', async () => {
    const fieldNumber = openPdf(createArraySource(input)).nextObjectNumber;
    const update = (bytes: Uint8Array, change: (update: IncrementalUpdate, document: PdfDocument) => void) => {
      const document = openPdf(createArraySource(bytes));
      const changes = new IncrementalUpdate(document, zeros);
      change(changes, document);
      return Buffer.concat([bytes, changes.encode().bytes]);
    };
    const form = update(input, (changes, { catalogRef, catalog }) => {
      const ref = changes.allocate();
      changes.set(
        ref,
        new PdfDict([
          ['FT', new PdfName('Tx')],
          ['T', encodeTextString('text')],
          ['V', encodeTextString('before')],
        ]),
      );
      changes.set(catalogRef, catalog.with({ AcroForm: new PdfDict([['Fields', [ref]]]) }));
    });
    const { bytes: ours } = await sealAtLevel(form, pki, { level: 'b-t' });
    const filled = update(ours, (changes, document) => {
      const ref = new PdfRef(fieldNumber, 0);
      changes.set(ref, document.getDict(ref, 'the field').with({ V: encodeTextString('after') }));
    });
    const strangers = await SoftwarePki.make('Strangers');
    const { bytes: theirs } = await sealAtLevel(filled, strangers, { level: 'b-t' });
    const report = validate(theirs);
    expect(report.signatures.map(({ accepted }) => accepted)).toEqual([true, false]);
    expect(chooseExtendable(report).leftAlone[0]?.reason).toMatch('no valid signature covers');
    await expect(extendBySoftware(theirs, pki, { to: 'b-lta' })).rejects.toThrow(SigillumError);
    const { bytes: again } = await sealAtLevel(filled, pki, { level: 'b-t' });
    expect((await extendBySoftware(again, pki, { to: 'b-lta' })).extended.leftAlone).toEqual([]);
  });

  test('names signatures by whole characters', () => {
    const report = validate(input);
    const [field, findings] = [`${'a'.repeat(127)}\u{1f600}`, [{ severity: 'failure', sentence: 'It is broken.' }]];
    const signature = { kind: 'signature', field, changedSince: 'none', findings } as unknown as SignatureReport;
    const [left] = chooseExtendable({ ...report, findings: [], signatures: [signature] }).leftAlone;
    expect([left?.field.isWellFormed(), left?.reason.isWellFormed()]).toEqual([true, true]);
  });

  test('adds no time-stamp where the author of an encrypted file forbids changes', () => {
    const closed = ['--encrypt', '', 'owner', '256', '--modify=form', '--'];
    const locked = rewriteWithQpdf(input, closed);
    expect(() =>
      prepareDocumentTimeStamp(createSoftwareInput(locked, 'sha256'), { contentsSize: 4096 }, zeros),
    ).toThrow(expect.objectContaining({ code: 'pdf_permission_denied' }));
  });
});

describe('validating by the data in the file', () => {
  const addToStore = (bytes: Uint8Array, data: { crls?: Uint8Array[]; ocsps?: Uint8Array[] }): Uint8Array =>
    Buffer.concat([
      bytes,
      addValidationData(createArraySource(bytes), { certificates: [], crls: [], ocsps: [], ...data }, zeros),
    ]);

  test('a revocation before the time-stamp refuses, one after it does not', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t' });
    const crlAt = (time: Date) =>
      makeSoftwareCrl(pki.issuing, new Date(), new Map([[serialOf(pki.leaf), { time, reason: undefined }]]));
    const before = addToStore(bytes, { crls: [await crlAt(new Date(pki.now.getTime() - hour))] });
    expect(codesOf(validate(before))).toEqual(['certificate_revoked']);
    expect(validate(before).signatures[0]).toMatchObject({
      indication: 'INDETERMINATE',
      subIndication: 'REVOKED_NO_POE',
    });
    const after = addToStore(bytes, { crls: [await crlAt(new Date(pki.now.getTime() + hour)), ...pki.crls] });
    expect(codesOf(validate(after))).toEqual([]);
  });

  test('a suspension that a later list has lifted does not refuse, a standing one does', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t' });
    const time = new Date(pki.now.getTime() - 3 * hour);
    const held = new Map([[serialOf(pki.leaf), { time, reason: 'certificateHold' as const }]]);
    const standing = addToStore(bytes, { crls: [await makeSoftwareCrl(pki.issuing, pki.now, held)] });
    expect(codesOf(validate(standing))).toEqual(['certificate_revoked']);
    const earlier = await makeSoftwareCrl(pki.issuing, new Date(pki.now.getTime() - hour), held);
    const lifted = addToStore(bytes, { crls: [earlier, await makeSoftwareCrl(pki.issuing, pki.now)] });
    expect(codesOf(validate(lifted))).toEqual([]);
  });

  test('a suspension is not lifted by lists from after the end of the certificate, which forget it', async () => {
    const signer = pki.issueSeal('suspended', { notAfter: new Date(pki.now.getTime() + hour) });
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t', signer });
    const time = new Date(pki.now.getTime() - 3 * hour);
    const held = await makeSoftwareCrl(
      pki.issuing,
      pki.now,
      new Map([[serialOf(signer), { time, reason: 'certificateHold' as const }]]),
    );
    const now = new Date(pki.now.getTime() + 4 * hour);
    const forgetful = addToStore(bytes, { crls: [held, await makeSoftwareCrl(pki.issuing, now)] });
    expect(codesOf(validate(forgetful, { now }))).toEqual(['certificate_revoked']);
  });

  test('a list that the store names hundreds of times is read once', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t' });
    const revoked = new Map(
      Array.from({ length: 2000 }, (_, index) => [
        (0x4000_0000 + index).toString(16),
        { time: pki.now, reason: undefined },
      ]),
    );
    const crl = await makeSoftwareCrl(pki.issuing, pki.now, revoked);
    const repeating = update(bytes, (changes, document) => {
      const ref = changes.allocate();
      changes.set(ref, new PdfNewStream(new PdfDict(), crl));
      const store = new PdfDict([['CRLs', Array.from({ length: 250 }, () => ref)]]);
      changes.set(document.catalogRef, document.catalog.with({ DSS: store }));
    });
    const source = createArraySource(repeating);
    let read = 0;
    const counting = {
      size: source.size,
      read(offset: number, length: number) {
        read += length;
        return source.read(offset, length);
      },
    };
    const report = validateSignatures(counting, { roots: [pki.root.certificate], now: new Date() });
    expect(report.accepted).toBe(true);
    expect(read).toBeLessThan(crl.length * 50);
  });

  test("a TSU's key compromise spoils its time-stamps, its retirement later does not", async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t' });
    const time = new Date(pki.now.getTime() + 30_000);
    const now = new Date(pki.now.getTime() + 2 * hour);
    const crlFor = (reason: 'keyCompromise' | 'superseded') =>
      makeSoftwareCrl(pki.tsa, now, new Map([[serialOf(pki.tsu), { time, reason }]]));
    const compromised = addToStore(bytes, { crls: [await crlFor('keyCompromise')] });
    expect(codesOf(validate(compromised, { now }))).toEqual(['time_stamp_revoked']);
    const retired = addToStore(bytes, { crls: [await crlFor('superseded')] });
    expect(codesOf(validate(retired, { now }))).toEqual([]);
  });

  test('OCSP counts when the issuer or its responder made it, and by what it says', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t' });
    const [leaf, issuer] = [parseCertificate(pki.leaf.certificate), parseCertificate(pki.issuing.certificate)];
    const [root, , tsa] = pki.crls;
    const others = { crls: [root ?? zeros(0), tsa ?? zeros(0)] };
    const answer = (responder: SoftwareIdentity, revokedAt?: Date) =>
      makeSoftwareOcsp(leaf, issuer, responder, pki.now, revokedAt && { time: revokedAt, reason: undefined });
    const responder = pki.issueResponder('responder');
    const good = addToStore(bytes, { ...others, ocsps: [answer(responder)] });
    expect(formatsOf(good, { requiresRevocation: true })).toEqual(['PAdES-BASELINE-LT']);
    const revoked = addToStore(bytes, { ...others, ocsps: [answer(responder, new Date(pki.now.getTime() - hour))] });
    expect(codesOf(validate(revoked))).toEqual(['certificate_revoked']);
    const strangers = await SoftwarePki.make('Strangers');
    const foreign = addToStore(bytes, { ...others, ocsps: [answer(strangers.issueResponder('stranger'))] });
    expect(formatsOf(foreign)).toEqual(['PAdES-BASELINE-T']);
    expect(codesOf(validate(foreign, { requiresRevocation: true }))).toEqual(['revocation_unknown']);
  });

  test('lists of others, of the future, or older than the use of the key say nothing', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t' });
    const [root, , tsa] = pki.crls;
    const others = [root ?? zeros(0), tsa ?? zeros(0)];
    const impostor = { ...pki.issuing, privateKey: pki.leaf.privateKey };
    await expect(makeSoftwareCrl(impostor, pki.now)).rejects.toThrow();
    const month = 30 * 24 * hour;
    for (const at of [new Date(pki.now.getTime() - 2 * month), new Date(pki.now.getTime() + 3 * hour)]) {
      const crls = [...others, await makeSoftwareCrl(pki.issuing, at)];
      expect([at, ...formatsOf(addToStore(bytes, { crls }))]).toEqual([at, 'PAdES-BASELINE-T']);
    }
    const crls = [...others, await makeSoftwareCrl(pki.issuing, pki.now)];
    expect(formatsOf(addToStore(bytes, { crls }))).toEqual(['PAdES-BASELINE-LT']);
  });

  test('data added after the archive time-stamp make no B-LTA', async () => {
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-t' });
    const prepared = prepareDocumentTimeStamp(createSoftwareInput(bytes, 'sha256'), { contentsSize: 8192 }, zeros);
    const imprint = { algorithm: prepared.digestAlgorithm, digest: prepared.digest };
    const token = await createSoftwareTimeStamps(pki, pki.now).request(imprint);
    const stamped = Buffer.concat([bytes, assembleDocumentTimeStamp(prepared, token)]);
    expect(formatsOf(stamped)).toEqual(['PAdES-BASELINE-T', 'RFC 3161']);
    expect(formatsOf(addToStore(stamped, { crls: [...pki.crls] }))).toEqual(['PAdES-BASELINE-LT', 'RFC 3161']);
  });

  test('an expired signer is proved by the time-stamp as long as that one is good', async () => {
    const signer = pki.issueSeal('brief', { notAfter: new Date(pki.now.getTime() + hour) });
    const { bytes } = await sealAtLevel(input, pki, { level: 'b-lta', signer });
    const later = new Date(pki.now.getTime() + 24 * hour);
    expect(validate(bytes, { now: later, requiresRevocation: true }).summary).toMatch(/^Accepted/);
  });
});

function signBy(message: Uint8Array): Uint8Array {
  return new Uint8Array(sign('sha256', message, pki.leaf.privateKey));
}
