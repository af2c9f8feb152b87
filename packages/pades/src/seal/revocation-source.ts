/** Validation data to be embedded: each entry one DER value, verified by the source that answered it. */
export type RevocationData = {
  /**
   * Of the paths found, what the requests didn't have: issuers, and the root too, since some validators want proof that even
   * it existed; and the certificates of OCSP responders that their answers lack.
   */
  readonly certificates: readonly Uint8Array[];
  /** CertificateList (RFC 5280 §5.1). */
  readonly crls: readonly Uint8Array[];
  /** OCSPResponse (RFC 6960 §4.2.1), the whole, as a DSS dictionary holds it (ISO 32000-2 table 261). */
  readonly ocsps: readonly Uint8Array[];
};

/** One chain to be proved good. */
export type RevocationRequest = {
  /** Leaf first, then what the document holds that may be its issuers, in any order. DER. */
  readonly certificates: readonly Uint8Array[];
  /** The time at which the chain must be valid and not revoked: that of the time-stamp, or now. */
  readonly at: Date;
  /** Freshness: nothing about the leaf whose thisUpdate lies before this is taken. CAs' lists come seldom and don't count. */
  readonly notBefore?: Date;
};

/**
 * Where revocation data comes from. It answers what proves each chain up to (and without) its root, and throws
 * `revocation_*` for a certificate that is revoked or suspended, data that can't be had or is too old, and chains that
 * end at no configured anchor.
 */
export type RevocationSource = {
  collect(requests: readonly RevocationRequest[], signal?: AbortSignal): Promise<RevocationData>;
};
