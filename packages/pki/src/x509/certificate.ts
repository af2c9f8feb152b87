import type { KeyObject } from 'node:crypto';
import type { KeySpecName } from '@sigillum/algorithms';
import type { DistinguishedName } from './distinguished-name.ts';
import type { KeyUsageName } from './key-usage.ts';

/** An X.509 v3 certificate, read (RFC 5280 §4.1). Byte arrays are views of `der`; nobody writes to them. */
export type Certificate = {
  readonly der: Uint8Array;
  /** What the signature covers. */
  readonly tbs: Uint8Array;
  /** `AlgorithmIdentifier` of the signature, in DER. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** Lowercase hex of the number without a leading zero octet. */
  readonly serialNumber: string;
  /** The INTEGER as it stands there: with the issuer's `der` it names the certificate in CMS. */
  readonly serialNumberDer: Uint8Array;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Uint8Array;
  readonly publicKey: KeyObject;
  /** The kind of key, when it is one that the product makes or signs with. */
  readonly keySpec: KeySpecName | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly keyUsage: { readonly critical: boolean; readonly usages: readonly KeyUsageName[] } | undefined;
  /** Purposes by their names, others by OID. */
  readonly extendedKeyUsage: { readonly critical: boolean; readonly purposes: readonly string[] } | undefined;
  readonly basicConstraints:
    | { readonly critical: boolean; readonly ca: boolean; readonly pathLength: number | undefined }
    | undefined;
  /** Subject key identifier. */
  readonly skid: Uint8Array | undefined;
  /** Key identifier of the authority key identifier. */
  readonly akid: Uint8Array | undefined;
  /** Where the issuer's certificate lies (AIA caIssuers). */
  readonly caIssuersUrls: readonly string[];
  readonly ocspUrls: readonly string[];
  /** Where the issuer's full CRL lies. */
  readonly crlUrls: readonly string[];
  readonly subjectAlternativeNames: {
    readonly uris: readonly string[];
    readonly dnsNames: readonly string[];
    /** In their usual text form. */
    readonly ipAddresses: readonly string[];
  };
  readonly privateKeyUsagePeriod: { readonly notBefore?: Date; readonly notAfter?: Date } | undefined;
  /** Whether the subject says that it has no legal value: development and sandbox certificates alone do. */
  readonly isDevelopment: boolean;
  /** OIDs of every extension, in order. */
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array }[];
  /** OIDs of critical extensions that this parser doesn't understand: no path may be built over such a certificate (RFC 5280 §4.2). */
  readonly unknownCriticalExtensions: readonly string[];
};
