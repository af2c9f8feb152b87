import type { SigillumError } from '@sigillum/errors';
import type { Resolve } from '../egress/open-connection.ts';

export type RevocationCollectorOptions = {
  /** Trust anchors of the chains that may be asked about, DER. */
  readonly roots: readonly Uint8Array[];
  /** Networks that aren't public and may be reached all the same, see `AddressGuard`. */
  readonly allowAddresses?: readonly string[];
  /** Ports beside 80 and 443. */
  readonly ports?: readonly number[];
  /** How long what was fetched is used again, never beyond its nextUpdate. Default one hour. */
  readonly maxAgeMs?: number;
  /**
   * When given, a leaf's status may not have been made (thisUpdate) longer ago than this. For authorities that renew their
   * CRLs that often; left out, nextUpdate decides.
   */
  readonly maxIssueAgeMs?: number | undefined;
  /** For one exchange. Default 5 s. */
  readonly timeoutMs?: number;
  /** For everything that one document needs. Default 20 s. */
  readonly totalTimeoutMs?: number;
  /** How long a failure is remembered. Default 30 s. */
  readonly negativeMs?: number;
  /** Default 4 MiB: some hundred thousand revoked certificates, read in half a second. */
  readonly maxCrlBytes?: number;
  /** Of everything remembered. Default 16 MiB; in memory it is about four times that. */
  readonly maxCacheBytes?: number;
  /** Exchanges with one host at a time. Default 4. */
  readonly maxPerHost?: number;
  /** Exchanges for one call. Default 24: three chains of four certificates, OCSP and CRL each. */
  readonly maxExchanges?: number;
  /** Whether issuers that are missing are fetched from where the certificate says (AIA caIssuers). Default true. */
  readonly fetchIssuers?: boolean;
  /** `http://host:port` of an egress proxy. */
  readonly proxy?: string | undefined;
  readonly now?: () => Date;
  readonly resolve?: Resolve;
  /** Told of every exchange, for logs and metrics. */
  readonly onExchange?: (exchange: RevocationExchange) => void;
};

export type RevocationExchange = {
  readonly kind: 'ocsp' | 'crl' | 'issuer';
  /** As the certificate says it: text of somebody else. */
  readonly url: string;
  readonly milliseconds: number;
  /** Why it gave nothing that can be used. */
  readonly error?: SigillumError;
};
