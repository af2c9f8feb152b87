import { createPublicKey } from 'node:crypto';
import { SigillumError } from '@sigillum/errors';
import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { encodeTime } from '../der/der-time.ts';
import { encodeExplicit, encodeInteger, encodeSequence, encodeUnsignedInteger } from '../der/encode-der.ts';
import { assertCertificateMatches } from './assert-certificate-matches.ts';
import { getCertificateProfile } from './certificate-profile.ts';
import type { CertificateRequest } from './certificate-request.ts';
import type { DigestSigner, MessageSigner } from './digest-signer.ts';
import { encodeName } from './distinguished-name.ts';
import { encodeExtensions } from './encode-extensions.ts';
import { computeKeyIdentifier } from './key-identifier.ts';
import { signStructure } from './sign-structure.ts';

/**
 * Issues a certificate by its profile. The signature is verified with the issuer's key, and the certificate is read
 * again and compared with request and profile, before it is returned. `signer` holds the issuer's key (the subject's
 * own for a self-signed one). Returns DER; throws `pki_request_invalid`, `pki_profile_violated`, `pki_signature_wrong`.
 */
export async function issueCertificate(
  request: CertificateRequest,
  signer: DigestSigner | MessageSigner,
): Promise<Uint8Array> {
  const profile = getCertificateProfile(request.profile);
  if (profile.selfSigned === (request.issuer !== undefined)) {
    throw new SigillumError(
      'pki_request_invalid',
      profile.selfSigned
        ? `A certificate of the profile ${profile.name} is signed with its own key and has no issuer.`
        : `A certificate of the profile ${profile.name} needs an issuer.`,
    );
  }
  const issuerName = request.issuer?.subject.der ?? encodeName(request.subject);
  const issuerSpki = request.issuer?.spki ?? request.spki;
  const issuerKeyIdentifier = request.issuer?.skid ?? computeKeyIdentifier(issuerSpki);
  const tbs = encodeSequence(
    encodeExplicit(0, encodeInteger(2)),
    encodeUnsignedInteger(request.serialNumber),
    getSignatureAlgorithm(signer.algorithm).identifierDer,
    issuerName,
    encodeSequence(encodeTime(request.notBefore), encodeTime(request.notAfter)),
    encodeName(request.subject),
    request.spki,
    encodeExplicit(3, encodeSequence(...encodeExtensions(request, profile, issuerKeyIdentifier))),
  );
  const issuerKey =
    request.issuer?.publicKey ?? createPublicKey({ key: Buffer.from(issuerSpki), format: 'der', type: 'spki' });
  const certificate = await signStructure(tbs, signer, issuerKey);
  assertCertificateMatches(certificate, request);
  return certificate;
}
