import { getDigestOf, getSignatureAlgorithm } from '@sigillum/algorithms';
import { encodeSignedAttributes, encodeSignedData, type KnownCertificates, parseCertificate } from '@sigillum/pki';
import type { SigningCredential } from './signing-credential.ts';

/** For a TSA that hasn't answered yet: more than any token met with three certificates in it. */
export const unknownTokenSize = 8 * 1024;

/** `/Contents` grows in these steps, so that sizes say little and repeat often. */
const step = 4096;

/**
 * Bytes to reserve in `/Contents`: a CMS of this credential with a token of `lastTokenSize` bytes is really encoded, then
 * a quarter is added and the whole rounded up to 4 KiB.
 *
 * @param lastTokenSize 0 for a signature without a time-stamp
 * @param known saves reading the certificate of an RSA key with each document
 */
export function estimateContentsSize(
  credential: SigningCredential,
  lastTokenSize: number,
  known?: KnownCertificates,
): number {
  const signedAttributes = encodeSignedAttributes({
    contentType: 'data',
    messageDigest: new Uint8Array(getDigestOf(credential.algorithm).length),
    certificate: credential.certificate,
  });
  const cms = encodeSignedData({
    contentType: 'data',
    algorithm: credential.algorithm,
    signedAttributes,
    signature: new Uint8Array(getSignatureSize(credential, known)),
    signerCertificate: credential.certificate,
    certificates: [credential.certificate, ...credential.chain],
    signatureTimeStamp: lastTokenSize === 0 ? undefined : new Uint8Array(lastTokenSize),
  });
  return addMargin(cms.length);
}

/** Bytes to reserve in `/Contents` of a document time-stamp, by the size of the last token: the same margin. */
export function estimateTokenRoom(lastTokenSize: number): number {
  return addMargin(lastTokenSize);
}

function addMargin(size: number): number {
  return Math.ceil((size * 1.25) / step) * step;
}

/** Bytes of a signature at most. */
function getSignatureSize(credential: SigningCredential, known: KnownCertificates | undefined): number {
  // ECDSA-Sig-Value: two INTEGERs of at most 49 bytes for P-384, in three headers.
  if (getSignatureAlgorithm(credential.algorithm).scheme === 'ecdsa') return 104;
  const certificate = known ? known.parse(credential.certificate) : parseCertificate(credential.certificate);
  const details = certificate.publicKey.asymmetricKeyDetails;
  return (details?.modulusLength ?? 4096) / 8;
}
