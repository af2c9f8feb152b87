import { createPublicKey } from 'node:crypto';
import { type KeySpec, keySpecs } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { encodeTlv, encodeUnsignedInteger } from './der.ts';

/** A public key as PKCS#11 spells it. */
export type PublicKeyParts =
  | { readonly spec: KeySpec; readonly kind: 'ec'; readonly curve: Uint8Array; readonly point: Uint8Array }
  | { readonly spec: KeySpec; readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array };

const OID_EC_PUBLIC_KEY = Buffer.from('06072a8648ce3d0201', 'hex'); // RFC 5480 §2.1.1
const RSA_ALGORITHM = Buffer.from('300d06092a864886f70d0101010500', 'hex'); // RFC 3279 §2.3.1, parameters NULL

function malformed(what: string): SigillumError {
  return new SigillumError('pkcs11_key_malformed', `The public key cannot be used: ${what}.`);
}

/** The key kind of an EC curve given as a DER OID. */
export function findCurveSpec(parameters: Uint8Array): KeySpec | undefined {
  return Object.values(keySpecs).find((spec) => spec.curve && Buffer.compare(spec.curve.der, parameters) === 0);
}

/** The key kind of an RSA modulus of that many bits. */
export function findRsaSpec(bits: number): KeySpec | undefined {
  return Object.values(keySpecs).find((spec) => spec.kind === 'rsa' && spec.bits === bits);
}

/**
 * CKA_EC_POINT to the uncompressed point `04 ‖ x ‖ y`. The standard wants a DER OCTET STRING (v3.1 §6.3.3), some
 * modules return the point bare; the length tells which.
 */
export function decodeEcPoint(value: Uint8Array, spec: KeySpec): Uint8Array {
  const length = 1 + 2 * (spec.bits / 8);
  const bare = value.length === length ? value : undefined;
  const wrapped = value.length === length + 2 && value[0] === 0x04 && value[1] === length ? value.subarray(2) : bare;
  if (!wrapped || wrapped[0] !== 0x04) throw malformed('its point is not an uncompressed point of the curve');
  return wrapped;
}

/** The SubjectPublicKeyInfo in DER (RFC 5480 §2, RFC 3279 §2.3.1). */
export function encodeSpki(parts: PublicKeyParts): Uint8Array {
  const unusedBits = Uint8Array.of(0);
  if (parts.kind === 'ec') {
    const algorithm = encodeTlv(0x30, OID_EC_PUBLIC_KEY, parts.curve);
    return encodeTlv(0x30, algorithm, encodeTlv(0x03, unusedBits, parts.point));
  }
  const key = encodeTlv(0x30, encodeUnsignedInteger(parts.modulus), encodeUnsignedInteger(parts.exponent));
  return encodeTlv(0x30, RSA_ALGORITHM, encodeTlv(0x03, unusedBits, key));
}

/**
 * A SubjectPublicKeyInfo to PKCS#11's parts.
 * @throws `pkcs11_key_malformed` when it is no key of the kinds in `algorithms`, or not the encoding we would give it.
 */
export function parseSpki(der: Uint8Array): PublicKeyParts {
  const jwk = exportJwk(der);
  const decode = (value: unknown): Uint8Array => new Uint8Array(Buffer.from(String(value), 'base64url'));
  const parts = jwk.kty === 'EC' ? ecParts(decode(jwk.x), decode(jwk.y)) : rsaParts(decode(jwk.n), decode(jwk.e));
  if (Buffer.compare(encodeSpki(parts), der) !== 0) throw malformed('its encoding is not the usual one');
  return parts;
}

function exportJwk(der: Uint8Array): { kty?: unknown; x?: unknown; y?: unknown; n?: unknown; e?: unknown } {
  try {
    return { ...createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }).export({ format: 'jwk' }) };
  } catch (cause) {
    throw new SigillumError('pkcs11_key_malformed', 'The public key is not a SubjectPublicKeyInfo.', { cause });
  }
}

function ecParts(x: Uint8Array, y: Uint8Array): PublicKeyParts {
  const spec = Object.values(keySpecs).find((entry) => entry.kind === 'ec' && entry.bits === x.length * 8);
  if (!spec?.curve) throw malformed('its curve is not supported');
  const point = new Uint8Array(Buffer.concat([Uint8Array.of(4), x, y]));
  return { spec, kind: 'ec', curve: spec.curve.der, point };
}

function rsaParts(modulus: Uint8Array, exponent: Uint8Array): PublicKeyParts {
  const spec = findRsaSpec(modulus.length * 8);
  if (!spec) throw malformed('its modulus has an unusual size');
  return { spec, kind: 'rsa', modulus, exponent };
}
