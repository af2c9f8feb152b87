import { createHash, type KeyObject } from 'node:crypto';
import { getDigestOf, getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { encodeBitString, encodeSequence } from '../der/encode-der.ts';
import type { DigestSigner, MessageSigner } from './digest-signer.ts';
import { verifySignedData } from './verify-signed-data.ts';

/**
 * `SIGNED{…}`: the structure, its algorithm and the signature (RFC 5280 §4.1.1, §5.1.1). The signature is verified
 * with `publicKey`; a wrong one never leaves (`pki_signature_wrong`).
 */
export async function signStructure(
  tbs: Uint8Array,
  signer: DigestSigner | MessageSigner,
  publicKey: KeyObject,
): Promise<Uint8Array> {
  const { identifierDer } = getSignatureAlgorithm(signer.algorithm);
  const signature = await sign(tbs, signer);
  if (!verifySignedData(tbs, identifierDer, signature, publicKey)) {
    throw new SigillumError('pki_signature_wrong', "The signature does not verify with the issuer's public key.");
  }
  return encodeSequence(tbs, identifierDer, encodeBitString(signature));
}

function sign(tbs: Uint8Array, signer: DigestSigner | MessageSigner): Promise<Uint8Array> {
  if ('signMessage' in signer) return signer.signMessage(tbs);
  return signer.sign(new Uint8Array(createHash(getDigestOf(signer.algorithm).name).update(tbs).digest()));
}
