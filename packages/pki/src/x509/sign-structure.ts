import { createHash, type KeyObject } from 'node:crypto';
import { getDigestOf, getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { encodeBitString, encodeSequence } from '../der/encode-der.ts';
import type { DigestSigner } from './digest-signer.ts';
import { verifySignedData } from './verify-signed-data.ts';

/**
 * `SIGNED{…}`: the structure, its algorithm and the signature (RFC 5280 §4.1.1, §5.1.1). The signature is verified
 * with `publicKey`; a wrong one never leaves (`pki_signature_wrong`).
 */
export async function signStructure(tbs: Uint8Array, signer: DigestSigner, publicKey: KeyObject): Promise<Uint8Array> {
  const { identifierDer } = getSignatureAlgorithm(signer.algorithm);
  const digest = createHash(getDigestOf(signer.algorithm).name).update(tbs).digest();
  const signature = await signer.sign(new Uint8Array(digest));
  if (!verifySignedData(tbs, identifierDer, signature, publicKey)) {
    throw new SigillumError('pki_signature_wrong', "The signature does not verify with the issuer's public key.");
  }
  return encodeSequence(tbs, identifierDer, encodeBitString(signature));
}
