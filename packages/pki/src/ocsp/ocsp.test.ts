import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isSigillumError } from '@sigillum/errors';
import {
  type Certificate,
  encodeEnumerated,
  encodeExplicit,
  encodeOcspRequest,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  equalBytes,
  KnownCertificates,
  type OcspExpectation,
  ocspOids,
  parseCertificate,
  parseOcspResponse,
  verifyOcspResponse,
} from '@sigillum/pki';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';
import { fromBER } from 'asn1js';
import { BasicOCSPResponse, CertID, Certificate as PkijsCertificate, OCSPRequest, OCSPResponse } from 'pkijs';

const pki = new OpensslPki();
const made = new Map<string, OpensslCertificate>();
const getMade = (name: string): OpensslCertificate => {
  const found = made.get(name);
  if (!found) throw new Error(name);
  return found;
};
const get = (name: string): Certificate => parseCertificate(getMade(name).certificate);
const issue = (name: string, extensions: readonly string[], issuer?: string, more: object = {}): void => {
  made.set(name, pki.issue(name, { extensions, ...(issuer ? { issuer: getMade(issuer) } : {}), ...more }));
};

const responder = [
  'basicConstraints=critical,CA:false',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=OCSPSigning',
  'subjectKeyIdentifier=hash',
  'authorityKeyIdentifier=keyid',
];
/** What `openssl ocsp` signs with, for RSA keys. */
const pss = ['-rmd', 'sha256', '-rsigopt', 'rsa_padding_mode:pss', '-rsigopt', 'rsa_pss_saltlen:digest'];
const noCheck = `${ocspOids.noCheck}=DER:0500`;

beforeAll(() => {
  const { root, ca, seal } = opensslExtensions;
  issue('root', root);
  issue('ca', ca, 'root');
  issue('good', seal, 'ca');
  issue('revoked', seal, 'ca');
  issue('held', seal, 'ca');
  issue('stranger', seal, 'ca');
  issue('responder', [...responder, noCheck], 'ca');
  issue('rsa-responder', responder, 'ca', { key: 'rsa-2048' });
  issue('no-purpose', opensslExtensions.tsu, 'ca');
  issue('no-usage', [...responder.filter((line) => !line.startsWith('keyUsage')), 'keyUsage=keyEncipherment'], 'ca');
  issue('strange-responder', [...responder, '1.2.3.4=critical,DER:0500'], 'ca');
  issue('responder-of-root', responder, 'root');
  issue('other-ca', ca, 'root', { subject: '/O=Sigillum Development (no legal value)/CN=ca' });
  issue('responder-of-other-ca', responder, 'other-ca', {
    subject: '/O=Sigillum Development (no legal value)/CN=responder',
  });
  const row = (name: string, status: string, revoked = '') =>
    `${status}\t351231235959Z\t${revoked}\t${get(name).serialNumber.toUpperCase()}\tunknown\t/CN=${name}\n`;
  pki.write(
    'index.txt',
    row('good', 'V') +
      row('revoked', 'R', '260102030405Z,keyCompromise') +
      row('held', 'R', '260102030405Z,certificateHold,1.2.840.10040.2.1'),
  );
});
afterAll(() => pki.remove());

let answers = 0;
type Ask = {
  readonly name?: string;
  readonly signer?: string;
  readonly nonce?: Uint8Array;
  readonly hash?: 'sha1' | 'sha256';
  readonly issuer?: string;
  readonly more?: readonly string[];
};

/** What `openssl ocsp` answers to a request of ours. */
function ask({ name = 'good', signer = 'responder', nonce, hash, issuer = 'ca', more = ['-ndays', '1'] }: Ask = {}) {
  const file = `answer-${answers++}`;
  const request = encodeOcspRequest({ certificate: get(name), issuer: get('ca'), nonce, ...(hash ? { hash } : {}) });
  const { certificateFile, keyFile } = getMade(signer);
  pki.run([
    ...`ocsp -index index.txt -CA ${getMade(issuer).certificateFile}`.split(' '),
    ...`-rsigner ${certificateFile} -rkey ${keyFile}`.split(' '),
    ...more,
    ...`-reqin ${pki.write(`${file}.req`, request)} -respout ${pki.path(`${file}.res`)}`.split(' '),
  ]);
  return new Uint8Array(readFileSync(pki.path(`${file}.res`)));
}

const verifyAnswer = (der: Uint8Array, expected: Partial<OcspExpectation> = {}) =>
  verifyOcspResponse(parseOcspResponse(der), {
    certificate: get('good'),
    issuer: get('ca'),
    now: new Date(),
    ...expected,
  });
const invalid = (text: string) =>
  expect.objectContaining({ code: 'pki_ocsp_invalid', message: expect.stringContaining(text) });

describe('an OCSP request', () => {
  test('is what openssl reads, with SHA-1 in the CertID by default and the nonce as it was given', () => {
    const nonce = new Uint8Array(randomBytes(32));
    const file = pki.write('shown.req', encodeOcspRequest({ certificate: get('good'), issuer: get('ca'), nonce }));
    const text = Buffer.from(pki.run(['ocsp', '-reqin', file, '-req_text'])).toString();
    expect(text).toMatch(/Hash Algorithm: sha1/);
    expect(text.toLowerCase()).toContain(get('good').serialNumber);
    expect(text.replace(/\s/g, '').toLowerCase()).toContain(`0420${Buffer.from(nonce).toString('hex')}`.slice(0, 40));
  });

  test.each(['sha1', 'sha256'] as const)('has the bytes that pkijs makes with %s', async (hash) => {
    const theirs = new OCSPRequest();
    const read = (name: string) => PkijsCertificate.fromBER(Uint8Array.from(getMade(name).certificate).buffer);
    await theirs.createForCertificate(read('good'), {
      hashAlgorithm: hash === 'sha1' ? 'SHA-1' : 'SHA-256',
      issuerCertificate: read('ca'),
    });
    const ours = encodeOcspRequest({ certificate: get('good'), issuer: get('ca'), hash });
    const [theirId] = theirs.tbsRequest.requestList;
    const ourId = OCSPRequest.fromBER(Uint8Array.from(ours).buffer).tbsRequest.requestList[0];
    expect(ourId?.reqCert.isEqual(theirId?.reqCert ?? new CertID())).toBe(true);
  });

  test('takes a nonce of 1 to 128 bytes', () => {
    for (const length of [0, 129]) {
      expect(() =>
        encodeOcspRequest({ certificate: get('good'), issuer: get('ca'), nonce: new Uint8Array(length) }),
      ).toThrow(expect.objectContaining({ code: 'pki_request_invalid' }));
    }
  });
});

describe('a response of openssl ocsp', () => {
  test('is read as pkijs reads it', () => {
    const der = ask({ nonce: randomBytes(32) });
    const ours = parseOcspResponse(der);
    const outer = new OCSPResponse({ schema: fromBER(Uint8Array.from(der).buffer).result });
    const theirs = BasicOCSPResponse.fromBER(
      Uint8Array.from(outer.responseBytes?.response.valueBlock.valueHexView ?? []).buffer,
    );
    const [single] = theirs.tbsResponseData.responses;
    expect(equalBytes(ours.tbs, new Uint8Array(theirs.tbsResponseData.tbsView))).toBe(true);
    expect(ours.producedAt).toEqual(theirs.tbsResponseData.producedAt);
    expect(ours.responses[0]?.thisUpdate).toEqual(single?.thisUpdate);
    expect(ours.responses[0]?.nextUpdate).toEqual(single?.nextUpdate);
    expect(ours.responses[0]?.certificateId.serialNumber).toBe(
      Buffer.from(single?.certID.serialNumber.valueBlock.valueHexView ?? [])
        .toString('hex')
        .replace(/^00/, ''),
    );
    expect(ours.certificates).toHaveLength(theirs.certs?.length ?? 0);
    expect(equalBytes(ours.signature, theirs.signature.valueBlock.valueHexView)).toBe(true);
  });

  test.each<[string, Ask]>([
    ['by a delegated responder, named', {}],
    ['by a delegated responder, by its key', { more: ['-resp_key_id', '-ndays', '1'] }],
    ['by the issuer itself', { signer: 'ca' }],
    ['by the issuer itself, by its key', { signer: 'ca', more: ['-resp_key_id', '-ndays', '1'] }],
    ['by the issuer itself, without certificates', { signer: 'ca', more: ['-resp_no_certs', '-ndays', '1'] }],
    ['with RSA', { signer: 'rsa-responder' }],
    ['with RSA-PSS', { signer: 'rsa-responder', more: ['-ndays', '1', ...pss] }],
    ['with SHA-512', { more: ['-ndays', '1', '-rmd', 'sha512'] }],
    ['with SHA-256 in the CertID', { hash: 'sha256' }],
    ['without nextUpdate', { more: [] }],
  ])('is verified: %s', (_what, how) => {
    const nonce = new Uint8Array(randomBytes(32));
    const verdict = verifyAnswer(ask({ ...how, nonce }), { nonce, demandsNonce: true });
    expect(verdict.certificateStatus).toEqual({ status: 'good' });
    expect(verdict.nextUpdate === undefined).toBe(how.more?.length === 0);
    expect(equalBytes(verdict.responder.der, getMade(how.signer ?? 'responder').certificate)).toBe(true);
    // nocheck, or the issuer itself
    expect(verdict.responderNeedsStatus).toBe(how.signer === 'rsa-responder');
  });

  test('says since when and why a certificate is revoked, and that it does not know one', () => {
    const time = new Date('2026-01-02T03:04:05Z');
    const statusOf = (name: string) => verifyAnswer(ask({ name }), { certificate: get(name) }).certificateStatus;
    expect(statusOf('revoked')).toEqual({ status: 'revoked', time, reason: 'keyCompromise' });
    expect(statusOf('held')).toMatchObject({ status: 'revoked', reason: 'certificateHold' });
    expect(statusOf('stranger')).toEqual({ status: 'unknown' });
  });

  test.each<[string, Ask, string]>([
    ['a certificate that is not for OCSP', { signer: 'no-purpose' }, 'may not sign OCSP'],
    ['a certificate whose key may not sign', { signer: 'no-usage' }, 'may not sign'],
    ['a certificate with a strange critical extension', { signer: 'strange-responder' }, 'critical extension'],
    ["a responder of the issuer's issuer", { signer: 'responder-of-root' }, 'not authorised'],
    ["a responder of a CA with the issuer's name", { signer: 'responder-of-other-ca' }, 'not authorised'],
    ['the certificate that was asked about', { signer: 'good' }, 'may not sign OCSP'],
    ['a CA of the same name', { signer: 'other-ca' }, 'may not sign OCSP'],
    ['a responder that sends no certificate', { more: ['-resp_no_certs'] }, 'missing'],
    ['a responder that signs with SHA-1', { more: ['-rmd', 'sha1'] }, 'signature is wrong'],
  ])('is refused from %s', (_what, how, text) => {
    const der = ask(how);
    expect(() => verifyAnswer(der)).toThrow(invalid(text));
  });

  test('finds the responder among certificates that are kept elsewhere', () => {
    const der = ask({ more: ['-resp_no_certs'] });
    const certificates = [getMade('good').certificate, Uint8Array.of(1), getMade('responder').certificate];
    expect(verifyAnswer(der, { certificates, known: new KnownCertificates() }).certificateStatus.status).toBe('good');
  });

  test('is given up when more certificates than a few are said to be its responder', () => {
    const der = ask({ more: ['-resp_no_certs', '-ndays', '1'] });
    const impostor = getMade('responder-of-other-ca').certificate;
    const withImpostors = (count: number) => [
      ...Array.from({ length: count }, () => impostor),
      getMade('responder').certificate,
    ];
    expect(verifyAnswer(der, { certificates: withImpostors(7) }).certificateStatus.status).toBe('good');
    expect(() => verifyAnswer(der, { certificates: withImpostors(8) })).toThrow(invalid('Too many certificates'));
  });

  test('is refused for another certificate, another issuer, a changed byte', () => {
    const der = ask();
    expect(() => verifyAnswer(der, { certificate: get('revoked') })).toThrow(invalid('another certificate'));
    expect(() => verifyAnswer(der, { issuer: get('other-ca') })).toThrow(invalid('another certificate'));
    const changed = Uint8Array.from(der);
    // The status: [0] becomes [2], good becomes unknown.
    const offset = Buffer.from(changed).indexOf(Buffer.from([0x80, 0, 0x18, 0x0f]));
    expect(offset).toBeGreaterThan(0);
    changed[offset] = 0x82;
    expect(() => verifyAnswer(changed)).toThrow(invalid('signature is wrong'));
  });

  test('is refused with another nonce, and without one where it is demanded', () => {
    const nonce = new Uint8Array(randomBytes(32));
    const other = ask({ nonce: new Uint8Array(randomBytes(32)) });
    expect(() => verifyAnswer(other, { nonce })).toThrow(invalid('another nonce'));
    const stored = ask();
    expect(verifyAnswer(stored, { nonce }).certificateStatus.status).toBe('good');
    expect(() => verifyAnswer(stored, { nonce, demandsNonce: true })).toThrow(invalid('repeat the nonce'));
  });

  test('is refused when it has passed or comes from the future, where a time is given', () => {
    const der = ask();
    const shift = (hours: number) => new Date(Date.now() + hours * 3_600_000);
    expect(() => verifyAnswer(der, { now: shift(25) })).toThrow(invalid('expired'));
    expect(() => verifyAnswer(der, { now: shift(-1) })).toThrow(invalid('future'));
    expect(verifyAnswer(der, { now: undefined }).certificateStatus.status).toBe('good');
  });
});

describe('the reader of OCSP responses', () => {
  test.each([
    [1, 'malformedRequest'],
    [3, 'tryLater'],
    [6, 'unauthorized'],
    [9, 'status 9'],
  ])('tells status %i as %s', (status, name) => {
    expect(() => parseOcspResponse(encodeSequence(encodeEnumerated(status)))).toThrow(
      expect.objectContaining({ code: 'pki_ocsp_refused', message: expect.stringContaining(name) }),
    );
  });

  test('refuses an empty one, another type, and bytes after the end', () => {
    const wrap = (oid: string, body: Uint8Array) =>
      encodeSequence(encodeEnumerated(0), encodeExplicit(0, encodeSequence(encodeOid(oid), encodeOctetString(body))));
    const body = parseOcspResponse(ask()).tbs;
    for (const der of [
      encodeSequence(encodeEnumerated(0)),
      wrap('1.2.3', body),
      wrap(ocspOids.basicResponse, body),
      Buffer.concat([ask(), Buffer.of(0)]),
      new Uint8Array(0),
    ]) {
      expect(() => parseOcspResponse(der)).toThrow(expect.objectContaining({ code: 'pki_ocsp_invalid' }));
    }
  });

  test('knows only typed refusals, whatever byte is changed or wherever it is cut, and no change passes as good', () => {
    const der = ask();
    const expected = { certificate: get('good'), issuer: get('ca'), known: new KnownCertificates() };
    const unsigned = new Set<number>();
    for (let offset = 0; offset < der.length; offset++) {
      const changed = Uint8Array.from(der);
      changed[offset] = (changed[offset] ?? 0) ^ (1 << (offset % 8));
      for (const input of [changed, der.subarray(0, offset)]) {
        try {
          verifyOcspResponse(parseOcspResponse(input), expected);
          unsigned.add(offset);
        } catch (error) {
          if (!isSigillumError(error)) throw error;
        }
      }
    }
    // Nothing is left that anybody could change: signature, algorithm, certificate and data are all looked at.
    expect([...unsigned]).toEqual([]);
  });
});
