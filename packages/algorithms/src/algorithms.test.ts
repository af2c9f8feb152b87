import { execFileSync } from 'node:child_process';
import { constants, createHash, generateKeyPairSync, privateEncrypt, sign, verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  digestAlgorithms,
  findDigestByOid,
  findKeySpec,
  findSignatureAlgorithm,
  getDigestOf,
  getVerifyParameters,
  keySpecs,
  signatureAlgorithms,
} from './index.ts';

const message = Buffer.from('what is signed');

function asn1(der: Uint8Array): string {
  return execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: der, encoding: 'utf8' });
}

describe('digests', () => {
  test.each(digestAlgorithms)(
    '$name: an RSA signature over our DigestInfo is the signature that OpenSSL makes',
    (digest) => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const value = createHash(digest.name).update(message).digest();
      expect(value).toHaveLength(digest.length);
      const raw = privateEncrypt(
        { key: privateKey, padding: constants.RSA_PKCS1_PADDING },
        Buffer.concat([digest.digestInfoPrefix, value]),
      );
      expect(raw).toEqual(sign(digest.name, message, privateKey));
      expect(findDigestByOid(digest.oid)).toBe(digest);
    },
  );

  test('SHA-1 and MD5 are unknown', () => {
    expect(findDigestByOid('1.3.14.3.2.26')).toBeUndefined();
    expect(findDigestByOid('1.2.840.113549.2.5')).toBeUndefined();
  });
});

describe('signature algorithms', () => {
  const keyFor = (kind: string) => {
    if (kind === 'p256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    if (kind === 'p384') return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    return generateKeyPairSync('rsa', { modulusLength: kind === 'rsa-2048' ? 2048 : 3072 });
  };

  test.each(signatureAlgorithms)(
    '$name: node:crypto verifies with our parameters, and refuses another message',
    (algorithm) => {
      const { privateKey, publicKey } = keyFor(algorithm.keys[0] ?? '');
      const { digest, key } = getVerifyParameters(algorithm.name, publicKey);
      const signature = sign(digest, message, { ...key, key: privateKey });
      expect(verify(digest, message, key, signature)).toBe(true);
      expect(verify(digest, Buffer.from('something else'), key, signature)).toBe(false);
      expect(getDigestOf(algorithm.name).name).toBe(algorithm.digest);
    },
  );

  test.each(signatureAlgorithms)('$name: the identifier holds the OID of the table', (algorithm) => {
    const oid = algorithm.scheme === 'rsassa-pss' ? 'rsassaPss' : /:(ecdsa-with-SHA\d+|sha256WithRSAEncryption)/;
    expect(asn1(algorithm.identifierDer)).toMatch(oid);
  });

  test('the PSS identifier is the one that OpenSSL writes for SHA-256, MGF1-SHA-256 and salt 32', () => {
    const request = execFileSync(
      'openssl',
      [
        'req',
        '-new',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        '/dev/null',
        '-subj',
        '/CN=x',
        '-sha256',
        '-sigopt',
        'rsa_padding_mode:pss',
        '-sigopt',
        'rsa_pss_saltlen:32',
        '-outform',
        'DER',
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const pss = findSignatureAlgorithm('rsassa-pss-sha256');
    expect(request.includes(Buffer.from(pss?.identifierDer ?? []))).toBe(true);
  });

  test('a PSS salt is as long as the digest, and no algorithm of RSA goes below 2048 bits', () => {
    for (const algorithm of signatureAlgorithms) {
      if (algorithm.scheme === 'rsassa-pss') expect(algorithm.saltLength).toBe(getDigestOf(algorithm.name).length);
      for (const key of algorithm.keys)
        expect(keySpecs[key].bits).toBeGreaterThanOrEqual(algorithm.scheme === 'ecdsa' ? 256 : 2048);
    }
  });

  test('names from outside that are no algorithm are not found', () => {
    for (const name of ['ed25519', 'rsassa-pkcs1-v1_5-sha1', '__proto__', 'constructor', '']) {
      expect(findSignatureAlgorithm(name)).toBeUndefined();
      expect(findKeySpec(name)).toBeUndefined();
    }
  });
});

test('a curve in the table is the curve of keys made with it', () => {
  for (const spec of Object.values(keySpecs)) {
    if (!spec.curve) continue;
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: spec.curve.name });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    expect(spki.includes(Buffer.from(spec.curve.der))).toBe(true);
  }
});
