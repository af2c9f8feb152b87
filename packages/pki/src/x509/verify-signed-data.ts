import type { KeyObject } from 'node:crypto';
import { readDer } from '../der/read-der.ts';
import { findSignatureScheme, verifyByScheme } from '../signatures/signature-scheme.ts';

/**
 * Whether the signature of a certificate, CRL or OCSP response is right. SHA-1, unknown algorithms, and keys that are too
 * weak are false.
 */
export function verifySignedData(
  signedBytes: Uint8Array,
  algorithmIdentifier: Uint8Array,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  const scheme = findSignatureScheme(readDer(algorithmIdentifier));
  return scheme !== undefined && verifyByScheme(scheme, signedBytes, signature, key);
}
