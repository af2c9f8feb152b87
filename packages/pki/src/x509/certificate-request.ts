import type { Certificate } from './certificate.ts';
import type { CertificateProfileName } from './certificate-profile.ts';
import type { NameAttribute } from './distinguished-name.ts';

/** Everything that goes into a certificate and that its profile doesn't already say. */
export type CertificateRequest = {
  readonly profile: CertificateProfileName;
  /** In the order of the encoding: country first. */
  readonly subject: readonly NameAttribute[];
  /** SubjectPublicKeyInfo of the subject's key, DER. */
  readonly spki: Uint8Array;
  /** The CA; absent for a self-signed certificate. */
  readonly issuer?: Certificate;
  /** 16 random bytes, see {@link createSerialNumber}. */
  readonly serialNumber: Uint8Array;
  /** Both are cut to whole seconds. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** http URL of the issuer's certificate (DER). */
  readonly caIssuersUrl?: string;
  /** http URL of the issuer's CRL (DER). */
  readonly crlUrl?: string;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** IPv4, dotted decimals. */
  readonly ipAddresses?: readonly string[];
  readonly privateKeyUsagePeriod?: { readonly notBefore: Date; readonly notAfter: Date };
};
