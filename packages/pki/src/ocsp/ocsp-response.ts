import type { RevocationReason } from '../crl/revocation-reason.ts';
import type { DistinguishedName } from '../x509/distinguished-name.ts';
import type { OcspCertificateId } from './ocsp-certificate-id.ts';

/** Who says to have signed (RFC 6960 §4.2.1, ResponderID). */
export type OcspResponderId =
  | { readonly kind: 'name'; readonly name: DistinguishedName }
  /** SHA-1 of the responder's key. */
  | { readonly kind: 'key'; readonly keyHash: Uint8Array };

/** What is said about one certificate. */
export type OcspCertificateStatus =
  | { readonly status: 'good' }
  | { readonly status: 'revoked'; readonly time: Date; readonly reason: RevocationReason | undefined }
  | { readonly status: 'unknown' };

export type OcspSingleResponse = {
  readonly certificateId: OcspCertificateId;
  readonly certificateStatus: OcspCertificateStatus;
  readonly thisUpdate: Date;
  /** Undefined: newer information is available all the time. */
  readonly nextUpdate: Date | undefined;
  /** OIDs of critical extensions: nothing here understands any. */
  readonly criticalExtensions: readonly string[];
};

/** A successful OCSPResponse with a BasicOCSPResponse, read (RFC 6960 §4.2.1). Byte arrays are views of `der`. */
export type OcspResponse = {
  /** The whole OCSPResponse: what a DSS dictionary holds. */
  readonly der: Uint8Array;
  /** tbsResponseData, what the signature covers. */
  readonly tbs: Uint8Array;
  /** `AlgorithmIdentifier` of the signature, in DER. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  readonly responderId: OcspResponderId;
  readonly producedAt: Date;
  readonly responses: readonly OcspSingleResponse[];
  /** The nonce's octets; undefined when the responder gave none. */
  readonly nonce: Uint8Array | undefined;
  /** OIDs of critical extensions that aren't understood. */
  readonly criticalExtensions: readonly string[];
  /** Certificates that came along, DER. */
  readonly certificates: readonly Uint8Array[];
};
