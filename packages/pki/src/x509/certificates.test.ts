import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthorityKeyIdentifierExtension, BasicConstraintsExtension, X509Certificate, X509Crl } from '@peculiar/x509';
import { type KeySpecName, keySpecs, type SignatureAlgorithmName } from '@sigillum/algorithms';
import {
  assertIssuedBy,
  type Certificate,
  type CertificateRequest,
  createSerialNumber,
  decodePem,
  type DigestSigner,
  encodePem,
  equalBytes,
  issueCertificate,
  issueCrl,
  listProfileProblems,
  type NameAttribute,
  parseCertificate,
  parseCrl,
  verifyCrl,
} from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'pki-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
const random = (length: number) => new Uint8Array(randomBytes(length));

type Key = { readonly path: string; readonly spki: Uint8Array; readonly signer: DigestSigner };

/** A key whose digests openssl signs, so that no code of ours stands on both sides. */
function createKey(spec: KeySpecName, algorithm: SignatureAlgorithmName): Key {
  const { kind, bits, curve } = keySpecs[spec];
  const pair =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: curve?.name ?? '' })
      : generateKeyPairSync('rsa', { modulusLength: bits });
  const path = join(folder, `${randomBytes(6).toString('hex')}.key`);
  writeFileSync(path, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return {
    path,
    spki: new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' })),
    signer: { algorithm, sign: async (digest) => signWithOpenssl(path, algorithm, digest) },
  };
}

function signWithOpenssl(key: string, algorithm: SignatureAlgorithmName, digest: Uint8Array): Uint8Array {
  const options =
    algorithm === 'rsassa-pss-sha256'
      ? ['rsa_padding_mode:pss', 'rsa_pss_saltlen:digest', 'digest:sha256']
      : algorithm === 'rsassa-pkcs1-v1_5-sha256'
        ? ['rsa_padding_mode:pkcs1', 'digest:sha256']
        : [];
  const args = ['pkeyutl', '-sign', '-inkey', key, ...options.flatMap((option) => ['-pkeyopt', option])];
  return new Uint8Array(execFileSync('openssl', args, { input: digest }));
}

const subject = (commonName: string): NameAttribute[] => [
  { type: 'country', value: 'FR' },
  { type: 'organization', value: 'Sigillum Development — no legal value' },
  { type: 'organization_identifier', value: 'NTRFR-000000000' },
  { type: 'common_name', value: commonName },
];

const now = Date.now();
const at = (days: number) => new Date(now + days * 86_400_000);
const save = (name: string, der: Uint8Array, label: 'CERTIFICATE' | 'X509 CRL' = 'CERTIFICATE') => {
  const path = join(folder, name);
  writeFileSync(path, encodePem(label, der));
  return path;
};

const rootKey = createKey('p384', 'ecdsa-p384-sha384');
const caKey = createKey('p256', 'ecdsa-p256-sha256');
let root: Certificate;
let ca: Certificate;
const request = (
  changes: Partial<CertificateRequest> & Pick<CertificateRequest, 'profile' | 'spki'>,
): CertificateRequest => ({
  subject: subject(changes.profile),
  serialNumber: createSerialNumber(random),
  notBefore: at(-0.01),
  notAfter: at(365),
  ...changes,
});
const published = { caIssuersUrl: 'http://127.0.0.1:8480/pki/ca.cer', crlUrl: 'http://127.0.0.1:8480/pki/ca.crl' };

beforeAll(async () => {
  root = parseCertificate(
    await issueCertificate(
      request({ profile: 'root-ca', spki: rootKey.spki, notBefore: at(-0.02), notAfter: at(7300) }),
      rootKey.signer,
    ),
  );
  ca = parseCertificate(
    await issueCertificate(
      request({ profile: 'issuing-ca', spki: caKey.spki, issuer: root, notAfter: at(3650), ...published }),
      rootKey.signer,
    ),
  );
});

describe('certificates', () => {
  test.each<[string, KeySpecName, SignatureAlgorithmName]>([
    ['P-256', 'p256', 'ecdsa-p256-sha256'],
    ['P-384', 'p384', 'ecdsa-p384-sha384'],
    ['RSA v1.5', 'rsa-3072', 'rsassa-pkcs1-v1_5-sha256'],
    ['RSA-PSS', 'rsa-3072', 'rsassa-pss-sha256'],
  ])('signed by a CA with %s verify in openssl and here', async (_name, spec, algorithm) => {
    const key = createKey(spec, algorithm);
    // An RSA CA is outside the profiles, so its own certificate comes from openssl.
    const config = join(folder, 'ca.cnf');
    writeFileSync(
      config,
      [
        '[req]',
        'distinguished_name=dn',
        'x509_extensions=ext',
        'prompt=no',
        'utf8=yes',
        'string_mask=utf8only',
        '[dn]',
        'O=Sigillum Development — no legal value',
        'CN=Foreign CA',
        '[ext]',
        'basicConstraints=critical,CA:TRUE',
        'keyUsage=critical,keyCertSign,cRLSign',
        'subjectKeyIdentifier=hash',
      ].join('\n'),
    );
    const path = join(folder, `${algorithm}.pem`);
    openssl('req', '-x509', '-new', '-key', key.path, '-config', config, '-days', '900', '-out', path);
    const issuer = parseCertificate(decodePem(readFileSync(path, 'utf8'))[0] ?? new Uint8Array());
    const leaf = await issueCertificate(
      request({ profile: 'seal', spki: caKey.spki, issuer, notBefore: issuer.notBefore, ...published }),
      key.signer,
    );
    const leafPath = save(`${algorithm}-leaf.pem`, leaf);
    expect(openssl('verify', '-x509_strict', '-CAfile', path, leafPath)).toContain('OK');
    expect(() => assertIssuedBy(parseCertificate(leaf), issuer)).not.toThrow();
  });

  test('pass openssl with -x509_strict and full CRL checks', async () => {
    const leafKey = createKey('rsa-2048', 'rsassa-pkcs1-v1_5-sha256');
    const leaf = await issueCertificate(
      request({ profile: 'seal', spki: leafKey.spki, issuer: ca, ...published }),
      caKey.signer,
    );
    const crl = async (issuer: Certificate, signer: DigestSigner) =>
      issueCrl({ issuer, number: 1n, thisUpdate: at(0), nextUpdate: at(30), revoked: new Map() }, signer);
    const crls = [
      save('root.crl', await crl(root, rootKey.signer), 'X509 CRL'),
      save('ca.crl', await crl(ca, caKey.signer), 'X509 CRL'),
    ].flatMap((path) => ['-CRLfile', path]);
    const chain = ['-CAfile', save('root.pem', root.der), '-untrusted', save('ca.pem', ca.der)];
    const verify = () =>
      openssl(
        'verify',
        '-x509_strict',
        '-crl_check_all',
        '-purpose',
        'smimesign',
        ...chain,
        ...crls,
        save('leaf.pem', leaf),
      );
    expect(verify()).toContain('OK');
    const revoked = new Map([[parseCertificate(leaf).serialNumber, { time: at(0), reason: 'keyCompromise' as const }]]);
    const second = await issueCrl(
      { issuer: ca, number: 2n, thisUpdate: at(0), nextUpdate: at(30), revoked },
      caKey.signer,
    );
    save('ca.crl', second, 'X509 CRL');
    expect(verify).toThrow(/certificate revoked/);
    expect(openssl('crl', '-in', join(folder, 'ca.crl'), '-noout', '-text')).toMatch(
      /CRL Number:\s+2[^]*Key Compromise/,
    );
    const read = parseCrl(second);
    expect(read.number).toBe(2n);
    expect([...read.revoked][0]?.[1].reason).toBe('keyCompromise');
    expect(() => verifyCrl(read, root)).toThrow(expect.objectContaining({ code: 'pki_crl_invalid' }));
  });

  test('read back as openssl shows them', () => {
    const text = openssl('x509', '-in', save('ca.pem', ca.der), '-noout', '-text');
    expect(text).toContain(ca.serialNumber.match(/../g)?.join(':') ?? 'nothing');
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(ca.subject.text).toBe('CN=issuing-ca,2.5.4.97=NTRFR-000000000,O=Sigillum Development — no legal value,C=FR');
    expect(ca.isDevelopment).toBe(true);
    expect(ca.basicConstraints).toEqual({ critical: true, ca: true, pathLength: 0 });
    expect(ca.crlUrls).toEqual([published.crlUrl]);
    expect(ca.caIssuersUrls).toEqual([published.caIssuersUrl]);
    expect(ca.akid && root.skid && equalBytes(ca.akid, root.skid)).toBe(true);
    expect(listProfileProblems(ca, 'issuing-ca', root)).toEqual([]);
    expect(listProfileProblems(ca, 'tsu', root)).not.toEqual([]);
  });

  test('and CRLs say the same to another library', async () => {
    const other = new X509Certificate(Buffer.from(ca.der));
    expect(other.serialNumber).toBe(ca.serialNumber);
    expect(other.notBefore).toEqual(ca.notBefore);
    expect(other.notAfter).toEqual(ca.notAfter);
    expect(Buffer.from(other.publicKey.rawData).equals(ca.spki)).toBe(true);
    expect(Buffer.from(other.subjectName.toArrayBuffer()).equals(ca.subject.der)).toBe(true);
    expect(other.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: true, pathLength: 0, critical: true });
    expect(other.getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(Buffer.from(ca.akid ?? []).toString('hex'));
    expect(other.extensions.map(({ type }) => type)).toEqual(ca.extensions.map(({ oid }) => oid));
    const revoked = new Map([['4a00ff', { time: at(0), reason: 'superseded' as const }]]);
    const dates = { thisUpdate: at(0), nextUpdate: at(30) };
    const der = await issueCrl({ issuer: ca, number: 7n, ...dates, revoked }, caKey.signer);
    const crl = new X509Crl(Buffer.from(der));
    expect(crl.entries.map(({ serialNumber, reason }) => [serialNumber, reason])).toEqual([['4a00ff', 4]]);
    expect(crl.nextUpdate).toEqual(parseCrl(der).nextUpdate);
  });

  test('are refused when they leave their profile, with every reason', async () => {
    const issue = (changes: Partial<CertificateRequest>) =>
      issueCertificate(
        { ...request({ profile: 'seal', spki: caKey.spki, issuer: ca, ...published }), ...changes },
        caKey.signer,
      );
    const refused: [Partial<CertificateRequest>, RegExp][] = [
      [{ notAfter: at(1200) }, /validity/],
      [{ notAfter: at(-1) }, /validity/],
      [{ notBefore: at(-1) }, /begins before its issuer/],
      [{ crlUrl: 'https://127.0.0.1/x.crl' }, /http URL/],
      [{ subject: subject('x').slice(0, 3) }, /common_name/],
      [
        { subject: subject('x').map((a) => (a.type === 'organization' ? { ...a, value: 'Real' } : a)) },
        /no legal value/,
      ],
      [
        { subject: subject('x').map((a) => (a.value.startsWith('NTR') ? { ...a, value: '42' } : a)) },
        /organization_identifier/,
      ],
      [{ serialNumber: Uint8Array.of(1) }, /serial number/],
      [{ uris: ['spiffe://x/y'] }, /URI names/],
      [{ profile: 'tsu' }, /privateKeyUsagePeriod/],
    ];
    for (const [changes, why] of refused) await expect(issue(changes)).rejects.toThrow(why);
    const { caIssuersUrl: _left, ...without } = request({
      profile: 'seal',
      spki: caKey.spki,
      issuer: ca,
      ...published,
    });
    await expect(issueCertificate(without, caKey.signer)).rejects.toMatchObject({ code: 'pki_profile_violated' });
  });

  test('never leave with a signature of another key', async () => {
    const stranger = createKey('p256', 'ecdsa-p256-sha256');
    const wrong = issueCertificate(
      request({ profile: 'seal', spki: caKey.spki, issuer: ca, ...published }),
      stranger.signer,
    );
    await expect(wrong).rejects.toMatchObject({ code: 'pki_signature_wrong' });
  });

  test('of another issuer, or with a changed byte, are not accepted as issued', () => {
    expect(() => assertIssuedBy(ca, root)).not.toThrow();
    expect(() => assertIssuedBy(ca, ca)).toThrow(expect.objectContaining({ code: 'pki_path_invalid' }));
    const changed = Uint8Array.from(ca.der);
    const index = Buffer.from(changed).indexOf('issuing-ca');
    changed[index] = 0x49;
    expect(() => assertIssuedBy(parseCertificate(changed), root)).toThrow(/signature/);
  });

  test('made by openssl with other algorithms are read and verified', () => {
    const path = join(folder, 'foreign');
    const make = (newkey: string[], digest: string) => {
      openssl(
        'req',
        '-x509',
        '-nodes',
        ...newkey,
        digest,
        '-subj',
        '/CN=Foreign',
        '-keyout',
        `${path}.key`,
        '-out',
        `${path}.der`,
        '-outform',
        'DER',
      );
      return parseCertificate(new Uint8Array(execFileSync('cat', [`${path}.der`])));
    };
    for (const digest of ['-sha256', '-sha384', '-sha512']) {
      const rsa = make(['-newkey', 'rsa:2048'], digest);
      expect(() => assertIssuedBy(rsa, rsa)).not.toThrow();
      const ec = make(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], digest);
      expect(() => assertIssuedBy(ec, ec)).not.toThrow();
    }
    const weak = make(['-newkey', 'rsa:2048'], '-sha1');
    expect(() => assertIssuedBy(weak, weak)).toThrow(/signature/);
  });

  test('cut, lengthened or turned into something else are refused with one code', () => {
    const refused = expect.objectContaining({ code: 'pki_certificate_invalid' });
    for (let length = 0; length < ca.der.length; length += 7) {
      expect(() => parseCertificate(ca.der.subarray(0, length))).toThrow(refused);
    }
    expect(() => parseCertificate(Uint8Array.from([...ca.der, 0]))).toThrow(refused);
    expect(() => parseCertificate(ca.tbs)).toThrow(refused);
  });
});
