import { SigillumError } from '@sigillum/errors';
import { encodeTlv, encodeUnsignedInteger } from './der.ts';

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function malformed(): SigillumError {
  return new SigillumError('pkcs11_signature_malformed', 'The HSM returned bytes that are no ECDSA signature.');
}

/**
 * PKCS#11's `r ‖ s` (v3.1 §6.3.1, both as long as the field) to a DER `ECDSA-Sig-Value` (RFC 3279 §2.2.3).
 * @throws `pkcs11_signature_malformed` for another length, or when r or s is zero.
 */
export function encodeEcdsaSignature(raw: Uint8Array, fieldBytes: number): Uint8Array {
  if (raw.length !== 2 * fieldBytes) throw malformed();
  const r = raw.subarray(0, fieldBytes);
  const s = raw.subarray(fieldBytes);
  if (isZero(r) || isZero(s)) throw malformed();
  return encodeTlv(0x30, encodeUnsignedInteger(r), encodeUnsignedInteger(s));
}

/**
 * A DER `ECDSA-Sig-Value` back to `r ‖ s` for C_Verify; `undefined` for anything but the one encoding that
 * {@link encodeEcdsaSignature} gives (strict: minimal lengths and integers, nothing behind).
 */
export function parseEcdsaSignature(der: Uint8Array, fieldBytes: number): Uint8Array | undefined {
  // r and s are at most fieldBytes + 1 bytes, so the whole fits short lengths up to P-384.
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der[2] !== 0x02) return undefined;
  const rLength = der[3] ?? 0;
  if (der[4 + rLength] !== 0x02) return undefined;
  const sLength = der[5 + rLength] ?? 0;
  if (6 + rLength + sLength !== der.length) return undefined;
  const raw = new Uint8Array(2 * fieldBytes);
  const parts = [der.subarray(4, 4 + rLength), der.subarray(6 + rLength)];
  for (const [index, part] of parts.entries()) {
    const value = part[0] === 0 ? part.subarray(1) : part;
    if (value.length === 0 || value.length > fieldBytes) return undefined;
    raw.set(value, (index + 1) * fieldBytes - value.length);
  }
  // Encoding again and comparing refuses every second spelling (superfluous zeros, negative numbers, zero).
  if (isZero(raw.subarray(0, fieldBytes)) || isZero(raw.subarray(fieldBytes))) return undefined;
  return Buffer.compare(encodeEcdsaSignature(raw, fieldBytes), der) === 0 ? raw : undefined;
}
