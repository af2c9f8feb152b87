import { constants, type KeyObject, verify } from 'node:crypto';
import { digestAlgorithms, getVerifyParameters, signatureAlgorithms } from '@sigillum/algorithms';
import { equalBytes } from '../der/compare-bytes.ts';
import { decodeOid } from '../der/decode-der.ts';
import { readDer } from '../der/read-der.ts';

/**
 * Whether a certificate's or CRL's signature is right. Foreign CAs sign with more than we do, so beside the product's
 * table ECDSA and RSA v1.5 with every digest that we accept are verified; SHA-1 and unknown algorithms are false.
 */
export function verifySignedData(
  signedBytes: Uint8Array,
  algorithmIdentifier: Uint8Array,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  const ours = signatureAlgorithms.find(({ identifierDer }) => equalBytes(identifierDer, algorithmIdentifier));
  if (ours) {
    const keyTypes = ours.scheme === 'ecdsa' ? ['ec'] : ours.scheme === 'rsassa-pss' ? ['rsa', 'rsa-pss'] : ['rsa'];
    if (!keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
    const parameters = getVerifyParameters(ours.name, key);
    return verify(parameters.digest, signedBytes, parameters.key, signature);
  }
  const oid = readDer(algorithmIdentifier).children[0];
  const foreign = oid && foreignAlgorithms.get(decodeOid(oid));
  if (!foreign || key.asymmetricKeyType !== foreign.keyType) return false;
  return verify(
    foreign.digest,
    signedBytes,
    { key, padding: constants.RSA_PKCS1_PADDING, dsaEncoding: 'der' },
    signature,
  );
}

/** RFC 5758 §3.2: ecdsa-with-SHA256, 384, 512 are arcs 2–4; RFC 8017 appendix A.2.4: sha256, 384, 512WithRSA are 11–13. */
const foreignAlgorithms = new Map<string, { digest: string; keyType: 'ec' | 'rsa' }>(
  digestAlgorithms.flatMap(({ name: digest }, index) => [
    [`1.2.840.10045.4.3.${index + 2}`, { digest, keyType: 'ec' }],
    [`1.2.840.113549.1.1.${index + 11}`, { digest, keyType: 'rsa' }],
  ]),
);
