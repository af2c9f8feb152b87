import { SigillumError } from '@sigillum/errors';
import type { Certificate, CertificateList, KnownCertificates } from '@sigillum/pki';
import type { Credential } from '@sigillum/store';

/** Where revocation is looked up. */
export type RevocationLists = { find(issuer: Certificate): CertificateList | undefined };

/** Seconds after which a renewed CRL may have come. */
const retryAfterSeconds = 60;

/**
 * Whether a credential may seal now: active, its certificate inside its validity, not revoked by a list of its own
 * issuer that is still current. Nothing is sealed that a validator would refuse for a reason we could have known.
 *
 * @throws SigillumError `credential_suspended`, `credential_revoked`, `credential_expired`, `credential_status_unknown`
 */
export function assertMaySeal(
  credential: Credential,
  sources: { readonly revocationLists: RevocationLists; readonly knownCertificates: KnownCertificates },
  now: Date,
): void {
  const { revocationLists, knownCertificates } = sources;
  if (credential.status === 'revoked') throw revoked(credential);
  if (credential.status === 'suspended') {
    throw new SigillumError('credential_suspended', `The credential ${credential.name} is suspended.`);
  }
  const certificate = knownCertificates.parse(credential.certificate);
  if (now < certificate.notBefore || now > certificate.notAfter) {
    throw new SigillumError(
      'credential_expired',
      `The certificate of ${credential.name} is valid from ${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}.`,
    );
  }
  const [issuerDer] = credential.chain;
  const list = issuerDer === undefined ? undefined : revocationLists.find(knownCertificates.parse(issuerDer));
  // RFC 5280 §6.3.3: a list past its nextUpdate says nothing about now, one from the future neither.
  if (list === undefined || now > list.nextUpdate || now < list.thisUpdate) {
    throw new SigillumError(
      'credential_status_unknown',
      `There is no current revocation list for ${credential.name}. Nothing is sealed until it is renewed.`,
      { retryAfterSeconds },
    );
  }
  if (list.revoked.has(certificate.serialNumber)) throw revoked(credential);
}

function revoked(credential: Credential): SigillumError {
  return new SigillumError('credential_revoked', `The credential ${credential.name} is revoked.`);
}
