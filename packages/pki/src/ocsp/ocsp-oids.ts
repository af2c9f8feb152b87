/** Object identifiers of OCSP (RFC 6960 §4.2.1, §4.2.2.2.1, §4.4). */
export const ocspOids = {
  /** id-pkix-ocsp-basic */
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  /** id-pkix-ocsp-nonce */
  nonce: '1.3.6.1.5.5.7.48.1.2',
  /** id-pkix-ocsp-nocheck, an extension of certificates */
  noCheck: '1.3.6.1.5.5.7.48.1.5',
} as const;
