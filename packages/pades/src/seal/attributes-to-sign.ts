import { createHash } from 'node:crypto';
import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import {
  type Certificate,
  encodeSignedAttributes,
  getIssuerAndSerial,
  type KnownCertificates,
  parseCertificate,
} from '@sigillum/pki';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';
import { assertSigningTime } from './assert-seal-times.ts';
import type { SigningCredential } from './signing-credential.ts';

/** What is handed to the signer. Only {@link createSignedAttributes} makes one. */
export class AttributesToSign {
  /** Exists for the compiler only: a private member makes the type nominal. */
  declare private readonly made: true;
  /** DER SET OF, as it is hashed (RFC 5652 §5.4). */
  readonly signedAttributes: Uint8Array;
  /** Digest of `signedAttributes`, by the credential's digest algorithm: this is what the HSM signs. */
  readonly digest: Uint8Array;
  readonly prepared: PreparedSignature;
  readonly credential: SigningCredential;
  /** The credential's certificate, read. */
  readonly certificate: Certificate;
  /** `/M` */
  readonly signingTime: Date;

  constructor(fields: Omit<AttributesToSign, 'made'>) {
    this.signedAttributes = fields.signedAttributes;
    this.digest = fields.digest;
    this.prepared = fields.prepared;
    this.credential = fields.credential;
    this.certificate = fields.certificate;
    this.signingTime = fields.signingTime;
    Object.freeze(this);
  }
}

/**
 * Step 4a: the signed attributes over the prepared digest. Refuses a certificate whose key doesn't go with the algorithm
 * (`pades_credential_wrong`) and times outside its validity (`pades_time_outside`).
 *
 * @param times `/M` as it was prepared, and the clock.
 * @param known saves reading the same certificate with each document.
 */
export function createSignedAttributes(
  prepared: PreparedSignature,
  credential: SigningCredential,
  times: { readonly signingTime: Date; readonly now: Date },
  known?: KnownCertificates,
): AttributesToSign {
  const certificate = known ? known.parse(credential.certificate) : parseCertificate(credential.certificate);
  const algorithm = getSignatureAlgorithm(credential.algorithm);
  if (!certificate.keySpec || !algorithm.keys.includes(certificate.keySpec)) {
    throw new SigillumError('pades_credential_wrong', `The certificate's key does not go with ${algorithm.name}.`);
  }
  if (prepared.digestAlgorithm !== algorithm.digest) {
    throw new SigillumError(
      'pades_credential_wrong',
      `The document was prepared with ${prepared.digestAlgorithm}, but the credential signs with ${algorithm.digest}.`,
    );
  }
  assertSigningTime(times, certificate);
  const signedAttributes = encodeSignedAttributes({
    contentType: 'data',
    messageDigest: prepared.digest,
    certificate: credential.certificate,
    signerName: getIssuerAndSerial(certificate),
  });
  const digest = createHash(algorithm.digest).update(signedAttributes).digest();
  return new AttributesToSign({
    signedAttributes,
    digest,
    prepared,
    credential,
    certificate,
    signingTime: times.signingTime,
  });
}
