import { constants, type KeyObject, publicDecrypt } from 'node:crypto';
import { getDigestOf, getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { verifyPssEncoding } from './verify-pss.ts';

/** Whether an RSA signature over a digest is right under the pinned key. About 25 µs, so it runs in the daemon. */
export function verifyRsaSignature(
  publicKey: KeyObject,
  algorithmName: SignatureAlgorithmName,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength;
  const algorithm = getSignatureAlgorithm(algorithmName);
  const hash = getDigestOf(algorithmName);
  // RFC 8017 §8.1.2 and §8.2.2, step 1: exactly as long as the modulus
  if (bits === undefined || signature.length !== Math.ceil(bits / 8) || digest.length !== hash.length) return false;
  if (algorithm.scheme === 'rsassa-pss') {
    const encoded = applyPublicKey(publicKey, constants.RSA_NO_PADDING, signature);
    const saltLength = algorithm.saltLength ?? hash.length;
    return encoded !== undefined && verifyPssEncoding(encoded, bits, algorithm.digest, digest, saltLength);
  }
  if (algorithm.scheme === 'rsassa-pkcs1-v1_5') {
    const digestInfo = applyPublicKey(publicKey, constants.RSA_PKCS1_PADDING, signature);
    return digestInfo !== undefined && Buffer.compare(digestInfo, Buffer.concat([hash.digestInfoPrefix, digest])) === 0;
  }
  return false;
}

/** `undefined` when the number is not below the modulus or the padding is wrong. */
function applyPublicKey(key: KeyObject, padding: number, signature: Uint8Array): Buffer | undefined {
  try {
    return publicDecrypt({ key, padding }, signature);
  } catch {
    return undefined;
  }
}
