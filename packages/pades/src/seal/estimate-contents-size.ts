import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { type Certificate, type KnownCertificates, parseCertificate } from '@sigillum/pki';
import type { SigningCredential } from './signing-credential.ts';

/** For a TSA that hasn't answered yet: more than any token met with three certificates in it. */
export const unknownTokenSize = 8 * 1024;

/** `/Contents` grows in these steps, so that sizes say little and repeat often. */
const step = 4096;

/** What a CMS has at most besides the values counted below: headers, versions, OIDs, digests. A test encodes real ones. */
const frameSize = 350;

/**
 * Bytes to reserve in `/Contents`: those of a CMS of this credential with a token of `lastTokenSize` bytes, a little more
 * at most, then a quarter is added and the whole rounded up to 4 KiB.
 *
 * @param lastTokenSize 0 for a signature without a time-stamp
 * @param known saves reading the certificate with each document
 */
export function estimateContentsSize(
  credential: SigningCredential,
  lastTokenSize: number,
  known?: KnownCertificates,
): number {
  const certificate = known ? known.parse(credential.certificate) : parseCertificate(credential.certificate);
  const chain = credential.chain.reduce((sum, { length }) => sum + length, credential.certificate.length);
  // the signer is named in the signed attributes and in SignerInfo
  const names = 2 * (certificate.issuer.der.length + certificate.serialNumberDer.length);
  return addMargin(frameSize + names + chain + getSignatureSize(credential, certificate) + lastTokenSize);
}

/** Bytes to reserve in `/Contents` of a document time-stamp, by the size of the last token: the same margin. */
export function estimateTokenRoom(lastTokenSize: number): number {
  return addMargin(lastTokenSize);
}

function addMargin(size: number): number {
  return Math.ceil((size * 1.25) / step) * step;
}

/** Bytes of a signature at most. */
function getSignatureSize({ algorithm }: SigningCredential, { publicKey }: Certificate): number {
  // ECDSA-Sig-Value: two INTEGERs of at most 49 bytes for P-384, in three headers.
  if (getSignatureAlgorithm(algorithm).scheme === 'ecdsa') return 104;
  return (publicKey.asymmetricKeyDetails?.modulusLength ?? 4096) / 8;
}
