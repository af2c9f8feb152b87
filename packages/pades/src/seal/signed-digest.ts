import { createHash, verify } from 'node:crypto';
import { getSignatureAlgorithm, getVerifyParameters } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import type { MessageImprint } from '@sigillum/pki';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';
import type { AttributesToSign } from './attributes-to-sign.ts';
import type { SigningCredential } from './signing-credential.ts';

/** A signature that has been verified with the credential's key. Only {@link acceptSignature} makes one. */
export class SignedDigest {
  /** Exists for the compiler only: a private member makes the type nominal. */
  declare private readonly accepted: true;
  readonly toSign: AttributesToSign;
  /** ECDSA as DER. */
  readonly signature: Uint8Array;

  constructor(toSign: AttributesToSign, signature: Uint8Array) {
    this.toSign = toSign;
    this.signature = signature;
    Object.freeze(this);
  }
}

/**
 * Step 4b: takes what the signer answered, and verifies it over the signed attributes with the certificate's public key
 * before anything else is done with it. Throws `pades_signature_wrong`.
 */
export function acceptSignature(
  prepared: PreparedSignature,
  toSign: AttributesToSign,
  credential: SigningCredential,
  signature: Uint8Array,
): SignedDigest {
  if (toSign.prepared !== prepared || toSign.credential !== credential) {
    throw new SigillumError('pades_signature_wrong', 'The signature belongs to another document or credential.');
  }
  const { digest, key } = getVerifyParameters(credential.algorithm, toSign.certificate.publicKey);
  if (!verify(digest, toSign.signedAttributes, key, signature)) {
    throw new SigillumError(
      'pades_signature_wrong',
      "The signer's answer is not a signature by the key of the certificate. Nothing was sealed.",
    );
  }
  return new SignedDigest(toSign, Uint8Array.from(signature));
}

/** Step 5: what the time-stamp is asked for: the digest of SignerInfo.signature (RFC 3161, appendix A). */
export function getTimeStampImprint(signed: SignedDigest): MessageImprint {
  const algorithm = getSignatureAlgorithm(signed.toSign.credential.algorithm).digest;
  return { algorithm, digest: createHash(algorithm).update(signed.signature).digest() };
}
