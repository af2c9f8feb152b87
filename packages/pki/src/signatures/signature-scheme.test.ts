import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { isKeyFit } from './signature-scheme.ts';

/** A public key of random numbers: nobody has its private half. */
function makeRsaKey(bits: number, exponent: Buffer = Buffer.of(1, 0, 1)): KeyObject {
  const modulus = randomBytes(bits / 8);
  modulus[0] = (modulus[0] ?? 0) | 0x80;
  modulus[modulus.length - 1] = (modulus.at(-1) ?? 0) | 1;
  const key = { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') };
  return createPublicKey({ key, format: 'jwk' });
}

describe('an RSA key fits', () => {
  const scheme = { kind: 'pkcs1', digest: 'sha256' } as const;

  test.each([
    [1024, false],
    [2048, true],
    [4096, true],
    [8192, true],
    [8200, false],
    [16_384, false],
  ])('of %i bits: %p', (bits, expected) => {
    expect(isKeyFit(scheme, makeRsaKey(bits))).toBe(expected);
  });

  test('with a public exponent that was not chosen to make verifying slow', () => {
    expect(isKeyFit(scheme, makeRsaKey(3072, Buffer.of(3)))).toBe(true);
    expect(isKeyFit(scheme, makeRsaKey(3072, Buffer.of(255, 255, 255, 255)))).toBe(true);
    expect(isKeyFit(scheme, makeRsaKey(3072, Buffer.of(1, 0, 0, 0, 1)))).toBe(false);
    expect(isKeyFit(scheme, makeRsaKey(3072, Buffer.alloc(383, 255)))).toBe(false);
  });
});
