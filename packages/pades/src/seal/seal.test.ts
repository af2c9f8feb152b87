import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getDigestOf, getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import {
  acceptSignature,
  assembleSeal,
  type AttributesToSign,
  createSignedAttributes,
  estimateContentsSize,
  getTimeStampImprint,
  prepareSignature,
  type PreparedSignature,
  type SealedDocument,
  sealDocument,
  type SealHooks,
  type SealPorts,
  type SigningCredential,
  type TimeStampSource,
} from '@sigillum/pades';
import {
  cmsOids,
  encodeMessageImprint,
  encodeSignedAttributes,
  encodeSignedData,
  encodeTstInfo,
  type MessageImprint,
  parseSignedData,
  type TimeStampToken,
  verifyTimeStampToken,
} from '@sigillum/pki';
import {
  makeSamplePdf,
  type OpensslCertificate,
  type OpensslKeyKind,
  OpensslPki,
  opensslExtensions,
  SoftwareSignerForTests,
} from '@sigillum/testing';

const algorithms: readonly [SignatureAlgorithmName, OpensslKeyKind][] = [
  ['ecdsa-p256-sha256', 'p256'],
  ['ecdsa-p384-sha384', 'p384'],
  ['rsassa-pss-sha256', 'rsa-3072'],
  ['rsassa-pkcs1-v1_5-sha256', 'rsa-2048'],
];
const pki = new OpensslPki();
const leaves = new Map<string, OpensslCertificate>();
const document = makeSamplePdf('classic');
let root: OpensslCertificate;
let ca: OpensslCertificate;
let tsaCa: OpensslCertificate;
let tsu: OpensslCertificate;

beforeAll(() => {
  root = pki.issue('root', { key: 'p384', extensions: opensslExtensions.root });
  ca = pki.issue('ca', { issuer: root, extensions: opensslExtensions.ca });
  tsaCa = pki.issue('tsa-ca', { issuer: root, extensions: opensslExtensions.ca });
  tsu = pki.issue('tsu', { issuer: tsaCa, extensions: opensslExtensions.tsu });
  for (const [algorithm, key] of algorithms) {
    leaves.set(algorithm, pki.issue(key, { key, issuer: ca, extensions: opensslExtensions.seal }));
  }
});
afterAll(() => pki.remove());

function getCredential(algorithm: SignatureAlgorithmName = 'ecdsa-p256-sha256'): SigningCredential {
  return { certificate: getLeaf(algorithm).certificate, chain: [ca.certificate], algorithm };
}

function getLeaf(algorithm: SignatureAlgorithmName): OpensslCertificate {
  const leaf = leaves.get(algorithm);
  if (!leaf) throw new Error(algorithm);
  return leaf;
}

const getInput = (algorithm: SignatureAlgorithmName) => {
  const digest = getDigestOf(algorithm).name;
  return {
    source: {
      size: document.length,
      read: (offset: number, length: number) => document.subarray(offset, offset + length),
    },
    prefixHash: {
      algorithm: digest,
      finish: (parts: readonly Uint8Array[]) => {
        const hash = createHash(digest).update(document);
        for (const part of parts) hash.update(part);
        return hash.digest();
      },
    },
  };
};

/** A TSA in memory. `padding` makes its tokens larger. */
function makeToken(
  imprint: MessageImprint,
  genTime: Date = new Date(),
  padding: readonly Uint8Array[] = [],
): TimeStampToken {
  const content = encodeTstInfo({
    policy: '2.25.1',
    imprintDer: encodeMessageImprint(imprint),
    serialNumber: randomBytes(16),
    genTime,
    accuracyMs: 1000,
  });
  const messageDigest = createHash('sha256').update(content).digest();
  const signedAttributes = encodeSignedAttributes({
    contentType: 'tstInfo',
    messageDigest,
    certificate: tsu.certificate,
  });
  const signer = new SoftwareSignerForTests(tsu.privateKey, 'ecdsa');
  const der = encodeSignedData({
    contentType: 'tstInfo',
    content,
    algorithm: 'ecdsa-p256-sha256',
    signedAttributes,
    signature: signer.signSync(createHash('sha256').update(signedAttributes).digest()),
    signerCertificate: tsu.certificate,
    certificates: [tsu.certificate, tsaCa.certificate, ...padding],
  });
  return verifyTimeStampToken(der, { imprint, roots: [root.certificate] });
}

const timeStamps: TimeStampSource = { request: (imprint) => Promise.resolve(makeToken(imprint)) };

const signWith =
  (algorithm: SignatureAlgorithmName): SealPorts['sign'] =>
  (toSign) =>
    new SoftwareSignerForTests(getLeaf(algorithm).privateKey, getSignatureAlgorithm(algorithm).scheme).sign(
      toSign.digest,
    );

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

function seal(
  algorithm: SignatureAlgorithmName = 'ecdsa-p256-sha256',
  more: {
    ports?: Partial<SealPorts>;
    hooks?: SealHooks;
    signingTime?: Date;
    lastTokenSize?: number;
    signal?: AbortSignal;
    credential?: SigningCredential;
  } = {},
): Promise<SealedDocument> {
  return sealDocument({
    input: getInput(algorithm),
    credential: more.credential ?? getCredential(algorithm),
    options: { signingTime: more.signingTime ?? new Date(), reason: 'Test' },
    lastTokenSize: more.lastTokenSize,
    ports: { sign: signWith(algorithm), timeStamps, now: () => new Date(), random, ...more.ports },
    hooks: more.hooks,
    signal: more.signal,
  });
}

/** CMS and signed bytes of a sealed file, by its ByteRange as it stands in the file. */
function extract(file: Uint8Array): { cms: Uint8Array; signed: Uint8Array } {
  const text = Buffer.from(file).toString('latin1');
  const found = [...text.matchAll(/\/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]/g)].at(-1);
  const [, start = 0, length = 0, second = 0, rest = 0] = (found ?? []).map(Number);
  const hex = text.slice(start + length + 1, second - 1);
  const padded = Buffer.from(hex, 'hex');
  const size = 4 + padded.readUInt16BE(2);
  expect(padded.subarray(size).every((byte) => byte === 0)).toBe(true);
  return {
    cms: new Uint8Array(padded.subarray(0, size)),
    signed: new Uint8Array(Buffer.concat([file.subarray(start, start + length), file.subarray(second, second + rest)])),
  };
}

const thrownBy = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe.each(algorithms)('a seal by %s', (algorithm) => {
  test('is B-T, keeps the input byte for byte, and satisfies openssl, pdfsig and qpdf', async () => {
    const sealed = await seal(algorithm);
    const file = Buffer.concat([document, sealed.increment]);
    expect(sealed.size).toBe(file.length);
    expect(file.subarray(0, document.length).equals(Buffer.from(document))).toBe(true);

    const { cms, signed } = extract(file);
    expect(cms).toEqual(sealed.cms);
    const files = {
      cms: pki.write('seal.cms', cms),
      signed: pki.write('signed', signed),
      pdf: pki.write('seal.pdf', file),
    };
    const cades = ['cms', '-verify', '-cades', '-purpose', 'any', '-binary', '-inform', 'DER', '-in', files.cms];
    expect(pki.run([...cades, '-content', files.signed, '-CAfile', root.certificateFile])).toEqual(signed);

    const parsed = parseSignedData(cms);
    expect(new Set(parsed.signer.attributes.keys())).toEqual(
      new Set([cmsOids.contentType, cmsOids.messageDigest, cmsOids.signingCertificateV2]),
    );
    expect(parsed.certificates).toHaveLength(2);
    const [token] = parsed.signer.unsignedAttributes.get(cmsOids.signatureTimeStamp) ?? [];
    const stamped = pki.write('token', token?.bytes ?? '');
    const signature = pki.write('signature', parsed.signer.signature);
    const verifyToken = [
      'ts',
      '-verify',
      '-in',
      stamped,
      '-token_in',
      '-data',
      signature,
      '-CAfile',
      root.certificateFile,
    ];
    expect(Buffer.from(pki.run(verifyToken)).toString()).toContain('Verification: OK');

    expect(execFileSync('pdfsig', ['-nocert', files.pdf]).toString()).toContain('Signature is Valid');
    expect(execFileSync('qpdf', ['--check', files.pdf]).toString()).toContain('No syntax or stream encoding errors');
    expect(file.toString('latin1')).toContain('/SubFilter /ETSI.CAdES.detached');
  });

  test('has room by the size of a CMS as it is really encoded', async () => {
    const sealed = await seal(algorithm);
    const estimate = estimateContentsSize(getCredential(algorithm), sealed.timeStampToken.der.length);
    expect(estimate % 4096).toBe(0);
    expect(estimate).toBeGreaterThanOrEqual(sealed.cms.length * 1.24);
    expect(estimate).toBeLessThan((sealed.cms.length + 110) * 1.25 + 4096);
  });

  test('is refused when the signer answers anything but the right signature', async () => {
    const other = getLeaf(algorithm === 'ecdsa-p256-sha256' ? 'ecdsa-p384-sha384' : 'ecdsa-p256-sha256');
    const answers: SealPorts['sign'][] = [
      () => Promise.resolve(new Uint8Array(0)),
      () => Promise.resolve(new Uint8Array(64)),
      (toSign) => new SoftwareSignerForTests(other.privateKey, 'ecdsa').sign(toSign.digest),
      async (toSign) => {
        const signature = Uint8Array.from(await signWith(algorithm)(toSign));
        signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
        return signature;
      },
    ];
    for (const sign of answers) {
      expect(await thrownBy(seal(algorithm, { ports: { sign } }))).toMatchObject({ code: 'pades_signature_wrong' });
    }
  });
});

describe('the room for the CMS', () => {
  test('is made again, larger, when the token does not fit, and nothing is cut', async () => {
    const sizes: number[] = [];
    const filler = Array.from({ length: 12 }, (_, index) =>
      pki.issue(`filler-${index}`, { extensions: opensslExtensions.root }),
    ).map(({ certificate }) => certificate);
    const sealed = await seal('ecdsa-p256-sha256', {
      lastTokenSize: 10,
      ports: { timeStamps: { request: (imprint) => Promise.resolve(makeToken(imprint, new Date(), filler)) } },
      hooks: { prepared: (prepared) => void sizes.push(prepared.contentsSize) },
    });
    expect(sizes).toHaveLength(2);
    expect(sealed.cms.length).toBeGreaterThan(sizes[0] ?? 0);
    const { cms } = extract(Buffer.concat([document, sealed.increment]));
    expect(cms).toEqual(sealed.cms);
  });

  test('ends in an error when every token is larger than the one before', async () => {
    const counts = [8, 16, 29];
    let rounds = 0;
    const huge = pki.issue('huge', { extensions: [...opensslExtensions.root, `nsComment=${'x'.repeat(1500)}`] });
    const request: TimeStampSource['request'] = (imprint) => {
      // Each distinct, because doubles are dropped.
      const copies = Array.from({ length: counts[rounds++] ?? 0 }, (_, index) => {
        const copy = Uint8Array.from(huge.certificate);
        copy[copy.length - 1] = index;
        return copy;
      });
      return Promise.resolve(makeToken(imprint, new Date(), copies));
    };
    const attempt = seal('ecdsa-p256-sha256', { lastTokenSize: 0, ports: { timeStamps: { request } } });
    expect(await thrownBy(attempt)).toMatchObject({ code: 'pades_contents_overflow' });
    expect(rounds).toBe(3);
  });
});

describe('times', () => {
  const minutes = (count: number): Date => new Date(Date.now() + count * 60_000);
  const outside = { code: 'pades_time_outside' };

  test('must lie in the validity of the certificate, near each other', async () => {
    const day = 24 * 60;
    const at = (now: Date, signingTime: Date) => seal('ecdsa-p256-sha256', { signingTime, ports: { now: () => now } });
    expect(await thrownBy(at(minutes(-day), minutes(-day)))).toMatchObject(outside);
    expect(await thrownBy(at(minutes(40 * day), minutes(40 * day)))).toMatchObject(outside);
    expect(await thrownBy(at(minutes(0), minutes(6)))).toMatchObject(outside);
    expect(await thrownBy(at(minutes(0), minutes(-6)))).toMatchObject(outside);
  });

  test('are checked before anything is signed', async () => {
    let signed = false;
    const sign: SealPorts['sign'] = (toSign) => {
      signed = true;
      return signWith('ecdsa-p256-sha256')(toSign);
    };
    await thrownBy(seal('ecdsa-p256-sha256', { signingTime: minutes(10), ports: { sign } }));
    expect(signed).toBe(false);
  });

  test.each([6, 10])('of a time-stamp %d minutes from /M are refused', async (count) => {
    const request: TimeStampSource['request'] = (imprint) => Promise.resolve(makeToken(imprint, minutes(count)));
    expect(await thrownBy(seal('ecdsa-p256-sha256', { ports: { timeStamps: { request } } }))).toMatchObject(outside);
  });
});

describe('the steps', () => {
  test('are announced in their order, and a hook that throws ends the seal there', async () => {
    const steps = ['prepared', 'signed', 'timeStamped', 'assembled'] as const;
    for (const last of steps) {
      const seen: string[] = [];
      const hooks = Object.fromEntries(
        steps.map((step) => [
          step,
          () => {
            seen.push(step);
            if (step === last) throw new Error(`stopped after ${step}`);
          },
        ]),
      );
      expect(await thrownBy(seal('ecdsa-p256-sha256', { hooks }))).toMatchObject({ message: `stopped after ${last}` });
      expect(seen).toEqual(steps.slice(0, steps.indexOf(last) + 1));
    }
  });

  test('end when the caller hangs up', async () => {
    const abort = new AbortController();
    const gone = new Error('gone');
    const error = await thrownBy(
      seal('ecdsa-p256-sha256', { signal: abort.signal, hooks: { signed: () => abort.abort(gone) } }),
    );
    expect(error).toBe(gone);
  });

  test('never go on without a time-stamp', async () => {
    const unavailable = new SigillumError('tsa_unavailable', 'None.', { retryAfterSeconds: 5 });
    const request: TimeStampSource['request'] = () => Promise.reject(unavailable);
    expect(await thrownBy(seal('ecdsa-p256-sha256', { ports: { timeStamps: { request } } }))).toBe(unavailable);
  });

  test('refuse the time-stamp of another signature', async () => {
    const request: TimeStampSource['request'] = () =>
      Promise.resolve(makeToken({ algorithm: 'sha256', digest: random(32) }));
    expect(await thrownBy(seal('ecdsa-p256-sha256', { ports: { timeStamps: { request } } }))).toMatchObject({
      code: 'pades_timestamp_wrong',
    });
  });

  test('refuse a credential whose certificate has another kind of key, or a document hashed otherwise', async () => {
    const credential = { ...getCredential('ecdsa-p256-sha256'), algorithm: 'rsassa-pss-sha256' as const };
    expect(await thrownBy(seal('ecdsa-p256-sha256', { credential }))).toMatchObject({ code: 'pades_credential_wrong' });
    const p384 = getCredential('ecdsa-p384-sha384');
    expect(await thrownBy(seal('ecdsa-p256-sha256', { credential: p384 }))).toMatchObject({
      code: 'pades_credential_wrong',
    });
  });

  test('one by one give what sealDocument gives, and refuse the signature of another document', () => {
    const algorithm = 'ecdsa-p256-sha256';
    const credential = getCredential(algorithm);
    const times = { signingTime: new Date(), now: new Date() };
    const prepare = (): PreparedSignature =>
      prepareSignature(getInput(algorithm), { signingTime: times.signingTime, contentsSize: 16_384 }, random);
    const [prepared, other] = [prepare(), prepare()];
    const toSign: AttributesToSign = createSignedAttributes(prepared, credential, times);
    const signer = new SoftwareSignerForTests(getLeaf(algorithm).privateKey, 'ecdsa');
    const signature = signer.signSync(toSign.digest);
    expect(() => acceptSignature(other, toSign, credential, signature)).toThrow('another document');
    const otherToSign = createSignedAttributes(other, credential, times);
    expect(() => acceptSignature(other, otherToSign, credential, signature)).toThrow('not a signature');
    const signed = acceptSignature(prepared, toSign, credential, signature);
    const sealed = assembleSeal(signed, makeToken(getTimeStampImprint(signed)));
    expect(extract(Buffer.concat([document, sealed.increment])).cms).toEqual(sealed.cms);
  });
});
