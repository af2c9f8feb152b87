import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isSigillumError } from '@sigillum/errors';
import {
  type Certificate,
  concatBytes,
  encodeBitString,
  encodeInteger,
  encodeOid,
  encodeSequence,
  encodeTime,
  parseCertificate,
  parseCertificateFile,
  parseCrl,
  verifyCrl,
} from '@sigillum/pki';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';

const pki = new OpensslPki();
let ca: OpensslCertificate;
let subCa: OpensslCertificate;
let leaf: OpensslCertificate;
const url = 'http://crl.example/ca.crl';
const read = ({ certificate }: OpensslCertificate): Certificate => parseCertificate(certificate);

beforeAll(() => {
  ca = pki.issue('ca', { extensions: opensslExtensions.root });
  subCa = pki.issue('sub-ca', { issuer: ca, extensions: opensslExtensions.ca });
  leaf = pki.issue('leaf', {
    issuer: ca,
    extensions: [...opensslExtensions.seal, `crlDistributionPoints=URI:${url}`],
  });
});
afterAll(() => pki.remove());

let made = 0;
/** A CRL of `openssl ca` with those lines in its extension section. */
function makeCrl(extensions: readonly string[], sections = ''): Uint8Array {
  const name = `crl-${made++}`;
  const serial = read(leaf).serialNumber.toUpperCase();
  pki.write(`${name}.index`, `R\t351231235959Z\t260102030405Z,superseded\t${serial}\tunknown\t/CN=leaf\n`);
  pki.write(`${name}.number`, '1000\n');
  const config = pki.write(
    `${name}.cnf`,
    `[ca]
default_ca = own
[own]
database = ${pki.path(`${name}.index`)}
crlnumber = ${pki.path(`${name}.number`)}
default_md = sha256
default_crl_days = 1
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid
${extensions.join('\n')}
${sections}
`,
  );
  const files = ['-cert', ca.certificateFile, '-keyfile', ca.keyFile, '-out', pki.path(`${name}.pem`)];
  pki.run(['ca', '-gencrl', '-config', config, ...files]);
  return pki.run(['crl', '-in', `${name}.pem`, '-outform', 'DER']);
}

const point = (lines: string): [string[], string] => [
  ['issuingDistributionPoint = critical,@point'],
  `[point]\n${lines}`,
];

describe('a CRL of openssl', () => {
  test('of all certificates is verified with or without one in question', () => {
    const crl = parseCrl(makeCrl([]));
    expect(crl.scope).toBeUndefined();
    verifyCrl(crl, read(ca));
    verifyCrl(crl, read(ca), read(leaf));
    expect(crl.revoked.get(read(leaf).serialNumber)).toEqual({
      time: new Date('2026-01-02T03:04:05Z'),
      reason: 'superseded',
    });
  });

  test('of user certificates, of CAs, or of one distribution point speaks of those alone', () => {
    const outside = expect.objectContaining({
      code: 'pki_crl_invalid',
      message: expect.stringContaining('does not speak of this certificate'),
    });
    const users = parseCrl(makeCrl(...point('onlyuser = TRUE')));
    expect(users.scope).toEqual({ urls: undefined, onlyContains: 'user-certificates' });
    verifyCrl(users, read(ca), read(leaf));
    expect(() => verifyCrl(users, read(ca), read(subCa))).toThrow(outside);
    const cas = parseCrl(makeCrl(...point('onlyCA = TRUE')));
    verifyCrl(cas, read(ca), read(subCa));
    expect(() => verifyCrl(cas, read(ca), read(leaf))).toThrow(outside);
    const here = parseCrl(makeCrl(...point(`fullname = URI:${url}`)));
    expect(here.scope).toEqual({ urls: [url], onlyContains: undefined });
    verifyCrl(here, read(ca), read(leaf));
    expect(() => verifyCrl(here, read(ca), read(subCa))).toThrow(outside);
    const elsewhere = parseCrl(makeCrl(...point('fullname = URI:http://crl.example/other.crl')));
    expect(() => verifyCrl(elsewhere, read(ca), read(leaf))).toThrow(outside);
  });

  test('of a part is refused where nobody says which certificate is in question', () => {
    const crl = parseCrl(makeCrl(...point('onlyuser = TRUE')));
    expect(() => verifyCrl(crl, read(ca))).toThrow(
      expect.objectContaining({ code: 'pki_crl_invalid', message: expect.stringContaining('a part') }),
    );
  });

  test.each<[string, [string[], string?], string]>([
    ['an indirect one', point('indirectCRL = TRUE'), 'indirect'],
    ['one of some reasons', point('onlysomereasons = keyCompromise'), 'some reasons'],
    ['one of attribute certificates', point('onlyAA = TRUE'), 'attribute'],
    ['one whose point has a relative name', point('relativename = name\n[name]\nCN = x'), 'without a full name'],
    ['a delta CRL', [['2.5.29.27 = critical,DER:020101']], 'delta'],
    ['a delta CRL that is not marked critical', [['2.5.29.27 = DER:020101']], 'delta'],
    ['one with a critical extension that nobody knows', [['1.2.3.4 = critical,DER:0500']], '1.2.3.4'],
  ])('is refused when it is %s', (_what, [extensions, sections], text) => {
    const der = makeCrl(extensions, sections);
    expect(() => parseCrl(der)).toThrow(
      expect.objectContaining({ code: 'pki_crl_unsupported', message: expect.stringContaining(text) }),
    );
  });
});

test('a CRL with any byte changed, or cut anywhere, is refused by a typed error', () => {
  const der = makeCrl(...point('onlyuser = TRUE'));
  const [issuer, certificate] = [read(ca), read(leaf)];
  const passed: number[] = [];
  for (let offset = 0; offset < der.length; offset++) {
    const changed = Uint8Array.from(der);
    changed[offset] = (changed[offset] ?? 0) ^ (1 << (offset % 8));
    for (const input of [changed, der.subarray(0, offset)]) {
      try {
        verifyCrl(parseCrl(input), issuer, certificate);
        passed.push(offset);
      } catch (error) {
        if (!isSigillumError(error, 'pki_crl_invalid', 'pki_crl_unsupported')) throw error;
      }
    }
  }
  expect(passed).toEqual([]);
});

test('a CRL takes time in proportion to what it revokes', () => {
  const make = (count: number): Uint8Array => {
    const entry = (index: number): Uint8Array =>
      encodeSequence(encodeInteger(0x40000000 + index), encodeTime(new Date('2026-01-01T00:00:00Z')));
    const algorithm = encodeSequence(encodeOid('1.2.840.10045.4.3.2'));
    const times = [encodeTime(new Date('2026-01-01T00:00:00Z')), encodeTime(new Date('2027-01-01T00:00:00Z'))];
    const entries = encodeSequence(concatBytes(Array.from({ length: count }, (_, index) => entry(index))));
    const tbs = encodeSequence(encodeInteger(1), algorithm, read(ca).subject.der, ...times, entries);
    return encodeSequence(tbs, algorithm, encodeBitString(new Uint8Array(64)));
  };
  // As many entries in all for both, enough that a clock that counts in hundredths of a second tells them apart.
  const measure = (input: Uint8Array, rounds: number): number => {
    const start = process.cpuUsage();
    for (let round = 0; round < rounds; round++) parseCrl(input);
    return process.cpuUsage(start).user;
  };
  const best = (input: Uint8Array, rounds: number): number =>
    Math.min(...Array.from({ length: 3 }, () => measure(input, rounds)));
  const [small, large] = [make(1000), make(32_000)];
  expect(parseCrl(large).revoked.size).toBe(32_000);
  measure(small, 32);
  // Quadratic would be 32 times as long for the same number of entries.
  expect(best(large, 2)).toBeLessThan(12 * Math.max(best(small, 64), 20_000));
});

describe('a file of issuers', () => {
  test('is one certificate, a certs-only CMS, or PEM', () => {
    const { certificateFile, certificate } = ca;
    const p7 = ['crl2pkcs7', '-nocrl', '-certfile', certificateFile, '-certfile', subCa.certificateFile];
    expect(parseCertificateFile(certificate)).toEqual([certificate]);
    expect(parseCertificateFile(pki.run([...p7, '-outform', 'DER']))).toHaveLength(2);
    expect(parseCertificateFile(pki.run(['x509', '-in', certificateFile]))).toEqual([certificate]);
  });

  test('is refused when it is something else', () => {
    for (const bytes of [new Uint8Array(0), Buffer.from('<html>'), ca.certificate.subarray(0, 100)]) {
      expect(() => parseCertificateFile(bytes)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^pki_(der|pem|certificate)_invalid$/) }),
      );
    }
    const data = pki.run(['cms', '-data_create', '-in', ca.certificateFile, '-outform', 'DER']);
    expect(() => parseCertificateFile(data)).toThrow(expect.objectContaining({ code: 'pki_certificate_invalid' }));
  });
});
