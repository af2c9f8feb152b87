import { createHash, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getDigestOf, getVerifyParameters, type SignatureAlgorithmName } from '@sigillum/algorithms';
import {
  cmsOids,
  encodeAttribute,
  encodeBoolean,
  encodeEnumerated,
  encodeExplicit,
  encodeGeneralizedTime,
  encodeInteger,
  encodeMessageImprint,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSet,
  encodeSignedAttributes,
  encodeSignedData,
  encodeTimeStampFailure,
  encodeTimeStampRequest,
  encodeTimeStampResponse,
  encodeTlv,
  encodeTstInfo,
  parseTimeStampRequest,
  parseTimeStampResponse,
  parseTstInfo,
  readDer,
  type TimeStampExpectation,
  TimeStampRefusal,
  verifyTimeStampToken,
} from '@sigillum/pki';
import fc from 'fast-check';
import { type OpensslCertificate, type OpensslKeyKind, OpensslPki, opensslExtensions } from '@sigillum/testing';

const sha256 = '2.16.840.1.101.3.4.2.1';
const data = Buffer.from('what is time-stamped');
const digest = new Uint8Array(createHash('sha256').update(data).digest());
const imprint = { algorithm: 'sha256', digest } as const;
const policy = '2.25.1234567890';
const nonce = Uint8Array.of(0x00, 0x80, 1, 2, 3, 4, 5, 6, 7);
const pki = new OpensslPki();
let root: OpensslCertificate;
let ca: OpensslCertificate;
let tsu: OpensslCertificate;

beforeAll(() => {
  root = pki.issue('root', { key: 'p384', extensions: opensslExtensions.root });
  ca = pki.issue('tsa-ca', { issuer: root, extensions: opensslExtensions.ca });
  tsu = pki.issue('tsu', { issuer: ca, extensions: opensslExtensions.tsu });
});
afterAll(() => pki.remove());

const refusal = (der: Uint8Array): TimeStampRefusal => {
  try {
    parseTimeStampRequest(der);
  } catch (error) {
    if (error instanceof TimeStampRefusal) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('a time-stamp request', () => {
  const algorithm = (oid: string, ...parameters: Uint8Array[]): Uint8Array =>
    encodeSequence(encodeOid(oid), ...parameters);
  const request = (...parts: Uint8Array[]): Uint8Array => encodeSequence(...parts);
  const version = encodeInteger(1);
  const good = encodeSequence(algorithm(sha256), encodeOctetString(digest));
  const certReq = encodeBoolean(true);
  const extension = (critical: boolean): Uint8Array =>
    encodeTlv(
      0xa0,
      encodeSequence(
        encodeOid('1.2.3.4'),
        ...(critical ? [encodeBoolean(true)] : []),
        encodeOctetString(new Uint8Array(2)),
      ),
    );

  test.each(['sha256', 'sha384', 'sha512'] as const)('of openssl ts -query with %s is read in every part', (name) => {
    const query = pki.run([
      'ts',
      '-query',
      '-data',
      pki.write('data', data),
      `-${name}`,
      '-cert',
      '-tspolicy',
      '1.2.3.4.5',
    ]);
    const parsed = parseTimeStampRequest(query);
    expect(parsed.imprint).toEqual({ algorithm: name, digest: new Uint8Array(createHash(name).update(data).digest()) });
    expect(parsed.policy).toBe('1.2.3.4.5');
    expect(parsed.certReq).toBe(true);
    expect(parsed.nonce?.length).toBeGreaterThanOrEqual(8);
    expect(Buffer.from(query).includes(Buffer.from(parsed.imprintDer))).toBe(true);
  });

  test('of ours is read by openssl and by ourselves', () => {
    const der = encodeTimeStampRequest({ imprint, policy, nonce, certReq: true });
    const text = Buffer.from(pki.run(['ts', '-query', '-in', pki.write('ours.tsq', der), '-text'])).toString();
    expect(text).toContain('Hash Algorithm: sha256');
    expect(text).toContain(`Policy OID: ${policy}`);
    expect(text).toContain('Nonce: 0x8001020304050607');
    expect(text).toContain('Certificate required: yes');
    expect(parseTimeStampRequest(der)).toMatchObject({ imprint, policy, nonce, certReq: true });
    expect(parseTimeStampRequest(encodeTimeStampRequest({ imprint, certReq: false }))).not.toHaveProperty('nonce');
  });

  test('keeps a negative nonce as it came', () => {
    const parsed = parseTimeStampRequest(request(version, good, encodeTlv(2, Uint8Array.of(0x80, 0))));
    expect(parsed.nonce).toEqual(Uint8Array.of(0x80, 0));
  });

  test('may spell the hash algorithm with NULL parameters', () => {
    const withNull = encodeSequence(algorithm(sha256, encodeNull()), encodeOctetString(digest));
    expect(parseTimeStampRequest(request(version, withNull)).imprintDer).toEqual(withNull);
  });

  test.each([
    ['version 0', () => request(encodeInteger(0), good), 'badRequest'],
    ['version 2', () => request(encodeInteger(2), good), 'badRequest'],
    ['a nonce of 65 bytes', () => request(version, good, encodeTlv(2, new Uint8Array(65).fill(1))), 'badRequest'],
    ['nothing', () => new Uint8Array(0), 'badDataFormat'],
    ['an empty SEQUENCE', () => request(), 'badDataFormat'],
    ['a request without an imprint', () => request(version), 'badDataFormat'],
    ['truncated DER', () => request(version, good, certReq).subarray(0, -1), 'badDataFormat'],
    ['a byte after the end', () => Buffer.concat([request(version, good), Buffer.of(0)]), 'badDataFormat'],
    ['a part too many', () => request(version, good, encodeNull()), 'badDataFormat'],
    ['parts in the wrong order', () => request(version, good, certReq, encodeInteger(5)), 'badDataFormat'],
    ['an INTEGER that is not minimal', () => request(encodeTlv(2, Uint8Array.of(0, 1)), good), 'badDataFormat'],
    ['a BOOLEAN that is not canonical', () => request(version, good, encodeTlv(1, Uint8Array.of(1))), 'badDataFormat'],
    ['a DEFAULT written out', () => request(version, good, encodeBoolean(false)), 'badDataFormat'],
    ['an indefinite length', () => Buffer.from('30800201010000', 'hex'), 'badDataFormat'],
    ['an ENUMERATED version', () => request(encodeEnumerated(1), good), 'badDataFormat'],
    [
      'SHA-1',
      () =>
        request(
          version,
          encodeSequence(algorithm('1.3.14.3.2.26', encodeNull()), encodeOctetString(new Uint8Array(20))),
        ),
      'badAlg',
    ],
    [
      'MD5',
      () => request(version, encodeSequence(algorithm('1.2.840.113549.2.5'), encodeOctetString(new Uint8Array(16)))),
      'badAlg',
    ],
    [
      'an unknown algorithm',
      () => request(version, encodeSequence(algorithm('1.2.3.4'), encodeOctetString(digest))),
      'badAlg',
    ],
    [
      'parameters',
      () => request(version, encodeSequence(algorithm(sha256, encodeInteger(5)), encodeOctetString(digest))),
      'badAlg',
    ],
    [
      'a digest too short',
      () => request(version, encodeSequence(algorithm(sha256), encodeOctetString(digest.subarray(1)))),
      'badDataFormat',
    ],
    [
      'a digest too long',
      () => request(version, encodeSequence(algorithm(sha256), encodeOctetString(new Uint8Array(33)))),
      'badDataFormat',
    ],
    ['a critical extension', () => request(version, good, extension(true)), 'unacceptedExtension'],
    ['an extension that is not critical', () => request(version, good, extension(false)), 'unacceptedExtension'],
  ])('with %s is refused', (_what, make, failure) => {
    expect(refusal(make()).failure).toBe(failure);
  });

  test('with a weak hash is refused in words that a person understands', () => {
    const weak = encodeSequence(algorithm('1.3.14.3.2.26'), encodeOctetString(new Uint8Array(20)));
    expect(refusal(request(version, weak)).message).toBe('SHA-1 is no longer secure. Use SHA-256, SHA-384 or SHA-512.');
  });
});

test('whatever the bytes of a request, it is read or refused, and nothing else happens', () => {
  const good = encodeTimeStampRequest({ imprint, policy, nonce, certReq: true });
  const attempt = (der: Uint8Array): void => {
    try {
      parseTimeStampRequest(der);
    } catch (error) {
      if (!(error instanceof TimeStampRefusal)) throw error;
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (index, byte, end) => {
      const changed = good.slice(0, Math.max(index + 1, end));
      changed[index] = byte;
      attempt(changed);
    }),
    { numRuns: 2000 },
  );
});

describe('TSTInfo', () => {
  const encode = (values: { genTime?: Date; accuracyMs?: number; nonce?: Uint8Array } = {}): Uint8Array =>
    encodeTstInfo({
      policy,
      imprintDer: encodeMessageImprint(imprint),
      serialNumber: Uint8Array.of(0xff, 1),
      genTime: new Date('2026-05-06T07:08:09.120Z'),
      accuracyMs: 1000,
      ...values,
    });

  test('says what it was given, milliseconds without trailing zeros, and no ordering', () => {
    const info = parseTstInfo(encode({ nonce }));
    expect(info).toEqual({
      policy,
      imprint,
      serialNumber: 'ff01',
      genTime: new Date('2026-05-06T07:08:09.120Z'),
      accuracyMs: 1000,
      ordering: false,
      nonce,
    });
    expect(Buffer.from(encode()).includes('20260506070809.12Z')).toBe(true);
    expect(readDer(encode()).children).toHaveLength(6);
  });

  test.each([1, 127, 128, 250, 999, 1000, 1500])('states an accuracy of %d ms', (accuracyMs) => {
    expect(parseTstInfo(encode({ accuracyMs })).accuracyMs).toBe(accuracyMs);
  });

  test('with another version or a critical extension is refused', () => {
    const parts = readDer(encode()).children.map((node) => node.bytes);
    expect(() => parseTstInfo(encodeSequence(encodeInteger(2), ...parts.slice(1)))).toThrow('unknown version');
    const extension = (critical: boolean): Uint8Array =>
      encodeTlv(
        0xa1,
        encodeSequence(encodeOid('1.2.3'), encodeBoolean(critical), encodeOctetString(new Uint8Array(0))),
      );
    expect(() => parseTstInfo(encodeSequence(...parts, extension(true)))).toThrow('critical extension');
  });
});

describe('a time-stamp response', () => {
  test('that refuses is read by openssl with its failure and text', () => {
    const der = encodeTimeStampFailure('unacceptedExtension', 'No extensions, please.');
    const text = Buffer.from(pki.run(['ts', '-reply', '-in', pki.write('no.tsr', der), '-text'])).toString();
    expect(text).toContain('Status: Rejected.');
    expect(text).toContain('No extensions, please.');
    expect(text).toMatch(/Failure info: .*extension/i);
    expect(parseTimeStampResponse(der)).toEqual({
      granted: false,
      status: 2,
      failure: 'unacceptedExtension',
      text: 'No extensions, please.',
    });
  });

  test.each([
    'badAlg',
    'badRequest',
    'badDataFormat',
    'timeNotAvailable',
    'unacceptedPolicy',
    'systemFailure',
  ] as const)('carries %s and back', (failure) => {
    expect(parseTimeStampResponse(encodeTimeStampFailure(failure, 'x'))).toMatchObject({ failure });
  });

  test.each([
    ['garbage', Buffer.from('hello')],
    ['a grant without a token', encodeSequence(encodeSequence(encodeInteger(0)))],
    ['a refusal with a token', encodeSequence(encodeSequence(encodeInteger(2)), encodeSequence())],
    ['a negative status', encodeSequence(encodeSequence(encodeInteger(-1)), encodeSequence())],
  ])('that is %s is refused', (_what, der) => {
    expect(() => parseTimeStampResponse(der)).toThrow(
      expect.objectContaining({ code: expect.stringMatching('pki_timestamp_response_invalid|pki_der_invalid') }),
    );
  });
});

type TokenParts = {
  algorithm?: SignatureAlgorithmName;
  signer?: OpensslCertificate;
  certificates?: readonly OpensslCertificate[];
  genTime?: Date;
  nonce?: Uint8Array;
  /** Replaces the signed attributes. */
  attributes?: (messageDigest: Uint8Array) => Uint8Array;
  content?: Uint8Array;
};

function makeToken(parts: TokenParts = {}): Uint8Array {
  const algorithm = parts.algorithm ?? 'ecdsa-p256-sha256';
  const signer = parts.signer ?? tsu;
  const content =
    parts.content ??
    encodeTstInfo({
      policy,
      imprintDer: encodeMessageImprint(imprint),
      serialNumber: randomBytes(16),
      genTime: parts.genTime ?? new Date(),
      accuracyMs: 1000,
      nonce: parts.nonce ?? nonce,
    });
  const messageDigest = createHash(getDigestOf(algorithm).name).update(content).digest();
  const signedAttributes = parts.attributes
    ? parts.attributes(messageDigest)
    : encodeSignedAttributes({ contentType: 'tstInfo', messageDigest, certificate: signer.certificate });
  const parameters = getVerifyParameters(algorithm, signer.privateKey);
  return encodeSignedData({
    contentType: 'tstInfo',
    content,
    algorithm,
    signedAttributes,
    signature: sign(parameters.digest, signedAttributes, parameters.key),
    signerCertificate: signer.certificate,
    certificates: (parts.certificates ?? [signer, ca]).map(({ certificate }) => certificate),
  });
}

const expectation = (more: Partial<TimeStampExpectation> = {}): TimeStampExpectation => ({
  imprint,
  nonce,
  policy,
  roots: [root.certificate],
  now: new Date(),
  ...more,
});

describe('verifyTimeStampToken', () => {
  test.each<[SignatureAlgorithmName, OpensslKeyKind]>([
    ['ecdsa-p256-sha256', 'p256'],
    ['ecdsa-p384-sha384', 'p384'],
    ['rsassa-pkcs1-v1_5-sha256', 'rsa-3072'],
    ['rsassa-pss-sha256', 'rsa-3072'],
  ])('accepts a token of ours by %s, and so does openssl ts -verify', (algorithm, key) => {
    const signer = pki.issue(`tsu-${algorithm}`, { key, issuer: ca, extensions: opensslExtensions.tsu });
    const der = makeToken({ algorithm, signer });
    const token = verifyTimeStampToken(der, expectation());
    expect(token).toMatchObject({ policy, imprint, accuracyMs: 1000, nonce, der });
    expect(token.serialNumber.length).toBeLessThanOrEqual(32);
    expect(token.path).toEqual([signer.certificate, ca.certificate, root.certificate]);
    // openssl ts can't verify PSS: TSU keys are never used with it.
    if (algorithm === 'rsassa-pss-sha256') return;
    const answer = pki.write('ours.tsr', encodeTimeStampResponse(der));
    const query = pki.write('ours.tsq', encodeTimeStampRequest({ imprint, policy, nonce, certReq: true }));
    const said = pki.run(['ts', '-verify', '-in', answer, '-queryfile', query, '-CAfile', root.certificateFile]);
    expect(Buffer.from(said).toString()).toContain('Verification: OK');
  });

  test.each<[OpensslKeyKind, string]>([
    ['p256', 'sha256'],
    ['rsa-2048', 'sha512'],
  ])('accepts a token that openssl ts -reply made with %s and %s', (key, digestName) => {
    const { token } = replyByOpenssl(
      pki.issue(`o-${key}`, { key, issuer: ca, extensions: opensslExtensions.tsu }),
      digestName,
      'sha256',
    );
    expect(verifyTimeStampToken(token, expectation({ policy: '1.2.3.4.1' })).policy).toBe('1.2.3.4.1');
  });

  test('refuses a token whose certificate is named by SHA-1 alone', () => {
    const { token } = replyByOpenssl(tsu, 'sha256', 'sha1');
    expect(() => verifyTimeStampToken(token, expectation({ policy: '1.2.3.4.1' }))).toThrow('ESSCertIDv2');
  });

  test('accepts a token without certificates when they are given from outside', () => {
    const der = makeToken({ certificates: [] });
    expect(() => verifyTimeStampToken(der, expectation())).toThrow('missing');
    const certificates = [ca.certificate, tsu.certificate];
    expect(verifyTimeStampToken(der, expectation({ certificates })).signerCertificate).toEqual(tsu.certificate);
  });

  test.each<[string, TokenParts, Partial<TimeStampExpectation>, string]>([
    ['another digest', {}, { imprint: { algorithm: 'sha256', digest: new Uint8Array(32) } }, 'something else'],
    ['another digest algorithm', {}, { imprint: { algorithm: 'sha384', digest } }, 'something else'],
    ['another nonce', {}, { nonce: Uint8Array.of(1) }, 'nonce'],
    ['a nonce that is the same number in another form', {}, { nonce: nonce.subarray(1) }, 'nonce'],
    ['another policy', {}, { policy: '1.2.3' }, 'policy'],
    ['a time in the future', { genTime: new Date(Date.now() + 3_600_000) }, {}, 'future'],
    ['a time before the certificates', { genTime: new Date(Date.now() - 86_400_000) }, {}, 'not valid yet'],
    [
      'a time after the certificates',
      { genTime: new Date(Date.now() + 50 * 86_400_000) },
      { now: undefined },
      'expired',
    ],
    ['no known root', {}, { roots: [] }, 'trusted root'],
    ['content that is not a TSTInfo', { content: encodeSequence(encodeInteger(1)) }, {}, 'TSTInfo'],
    ['an issuing CA that is missing', { certificates: [] }, {}, 'missing'],
  ])('refuses %s', (_what, parts, more, message) => {
    const attempt = (): unknown => verifyTimeStampToken(makeToken(parts), expectation(more));
    expect(attempt).toThrow(expect.objectContaining({ code: 'pki_timestamp_token_invalid' }));
    expect(attempt).toThrow(message);
  });

  test.each([
    [
      'whose purpose is not critical',
      ['extendedKeyUsage=timeStamping', 'keyUsage=critical,digitalSignature'],
      'time-stamps alone',
    ],
    [
      'with a second purpose',
      ['extendedKeyUsage=critical,timeStamping,clientAuth', 'keyUsage=critical,digitalSignature'],
      'time-stamps alone',
    ],
    [
      'with another purpose',
      ['extendedKeyUsage=critical,clientAuth', 'keyUsage=critical,digitalSignature'],
      'time-stamps alone',
    ],
    ['without a purpose', ['keyUsage=critical,digitalSignature'], 'time-stamps alone'],
    [
      'whose key may not sign',
      ['extendedKeyUsage=critical,timeStamping', 'keyUsage=critical,keyAgreement'],
      'may not sign',
    ],
  ])('refuses a certificate %s', (_what, extensions, message) => {
    const signer = pki.issue('bad-tsu', {
      issuer: ca,
      extensions: [...extensions, 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'],
    });
    expect(() => verifyTimeStampToken(makeToken({ signer }), expectation())).toThrow(message);
  });

  test('refuses a token whose attributes name another certificate than its SignerInfo, whichever comes first', () => {
    const other = pki.issue('other-tsu', { issuer: ca, extensions: opensslExtensions.tsu });
    const der = makeToken({
      certificates: [tsu, other, ca],
      attributes: (messageDigest) =>
        encodeSignedAttributes({ contentType: 'tstInfo', messageDigest, certificate: other.certificate }),
    });
    expect(() => verifyTimeStampToken(der, expectation())).toThrow('two different certificates');
  });

  test('refuses signed attributes that say nothing of the certificate, or another content type', () => {
    const plain = (messageDigest: Uint8Array): Uint8Array =>
      encodeSet(
        encodeAttribute(cmsOids.contentType, encodeOid(cmsOids.tstInfo)),
        encodeAttribute(cmsOids.messageDigest, encodeOctetString(messageDigest)),
      );
    expect(() => verifyTimeStampToken(makeToken({ attributes: plain }), expectation())).toThrow('ESSCertIDv2');
    const asData = (messageDigest: Uint8Array): Uint8Array =>
      encodeSignedAttributes({ contentType: 'data', messageDigest, certificate: tsu.certificate });
    expect(() => verifyTimeStampToken(makeToken({ attributes: asData }), expectation())).toThrow('content type');
  });

  test('refuses a token in which any byte of the signed content, attributes or signature has changed', () => {
    const der = makeToken();
    const outcomes = new Set<string>();
    for (let index = 0; index < der.length; index += 7) {
      const changed = Uint8Array.from(der);
      changed[index] = (changed[index] ?? 0) ^ 0x01;
      try {
        const token = verifyTimeStampToken(changed, expectation());
        // What survives a change can only be what nobody signed: version numbers, digestAlgorithms, spare certificates.
        expect(token.imprint).toEqual(imprint);
        outcomes.add('unsigned');
      } catch (error) {
        expect(error).toMatchObject({ code: 'pki_timestamp_token_invalid' });
        outcomes.add('refused');
      }
    }
    expect(outcomes.has('refused')).toBe(true);
    const content = Buffer.from(der).indexOf(encodeGeneralizedTime(new Date()).subarray(0, 10));
    const changed = Uint8Array.from(der);
    changed[content + 5] = (changed[content + 5] ?? 0) ^ 1;
    expect(() => verifyTimeStampToken(changed, expectation())).toThrow();
  });

  test('refuses a SignedData that is no time-stamp', () => {
    const bare = encodeSequence(encodeOid(cmsOids.signedData), encodeExplicit(0, encodeSequence()));
    expect(() => verifyTimeStampToken(bare, expectation())).toThrow(
      expect.objectContaining({ code: 'pki_timestamp_token_invalid' }),
    );
    expect(() => verifyTimeStampToken(new Uint8Array(0), expectation())).toThrow(
      expect.objectContaining({ code: 'pki_timestamp_token_invalid' }),
    );
  });
});

function replyByOpenssl(signer: OpensslCertificate, digestName: string, essDigest: string): { token: Uint8Array } {
  const config = pki.write(
    'tsa.cnf',
    `[tsa]
default_tsa = t
[t]
serial = ${pki.write('serial', '01\n')}
signer_cert = ${signer.certificateFile}
signer_key = ${signer.keyFile}
certs = ${ca.certificateFile}
signer_digest = ${digestName}
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = ${essDigest}
`,
  );
  const query = pki.write('o.tsq', encodeTimeStampRequest({ imprint, nonce, certReq: true }));
  pki.run(['ts', '-reply', '-config', config, '-section', 't', '-queryfile', query, '-out', pki.path('o.tsr')]);
  const response = parseTimeStampResponse(readFileSync(pki.path('o.tsr')));
  if (!response.granted) throw new Error(response.text);
  return { token: response.token };
}
