import type { DistinguishedName } from '../x509/distinguished-name.ts';
import type { RevocationReason } from './revocation-reason.ts';

/** One revoked certificate. */
export type RevokedCertificate = { readonly time: Date; readonly reason: RevocationReason | undefined };

/** The revoked certificates of a list, by serial number: lowercase hex without a leading zero octet. */
export type RevokedCertificates = Iterable<readonly [string, RevokedCertificate]> & {
  /** Entries. */
  readonly size: number;
  has(serialNumber: string): boolean;
  /** What the list says of it; the last word where it has several. */
  get(serialNumber: string): RevokedCertificate | undefined;
};

/**
 * Which certificates of its issuer a CRL speaks of, when not of all (RFC 5280 §5.2.5): a missing entry says nothing about
 * the others.
 */
export type CrlScope = {
  /** URLs of the distribution point; a certificate belongs to it when it names one of them. */
  readonly urls: readonly string[] | undefined;
  readonly onlyContains: 'user-certificates' | 'ca-certificates' | undefined;
};

/** A certificate revocation list, read (RFC 5280 §5.1). Byte arrays are views of `der`. */
export type CertificateList = {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly thisUpdate: Date;
  /** RFC 5280 §5.1.2.5 wants it in every CRL; one without is refused when read. */
  readonly nextUpdate: Date;
  readonly number: bigint | undefined;
  readonly akid: Uint8Array | undefined;
  /** Undefined: all certificates of its issuer. `verifyCrl` holds it against the certificate in question. */
  readonly scope: CrlScope | undefined;
  readonly revoked: RevokedCertificates;
};
