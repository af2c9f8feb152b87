import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { getVerifyParameters } from '@sigillum/algorithms';
import { SoftwareSignerForTests } from './software-signer-for-tests.ts';

test.each([
  ['ecdsa-p256-sha256', 'sha256', 'ecdsa', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['ecdsa-p384-sha384', 'sha384', 'ecdsa', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['rsassa-pss-sha256', 'sha256', 'rsassa-pss', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  [
    'rsassa-pkcs1-v1_5-sha256',
    'sha256',
    'rsassa-pkcs1-v1_5',
    () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ],
] as const)(
  'the signer for tests makes %s signatures that node:crypto verifies',
  (algorithm, hash, scheme, generate) => {
    const { privateKey, publicKey } = generate();
    const signer = new SoftwareSignerForTests(privateKey, scheme);
    const { digest, key } = getVerifyParameters(algorithm, publicKey);
    for (let round = 0; round < (scheme === 'ecdsa' ? 100 : 2); round++) {
      const message = Buffer.from(`message ${round}`);
      const signature = signer.signSync(createHash(hash).update(message).digest());
      expect(verify(digest, message, key, signature)).toBe(true);
    }
  },
);
