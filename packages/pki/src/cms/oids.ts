/** Object identifiers of CMS and its attributes. */
export const cmsOids = {
  /** id-data (RFC 5652 §4) */
  data: '1.2.840.113549.1.7.1',
  /** id-signedData (RFC 5652 §5.1) */
  signedData: '1.2.840.113549.1.7.2',
  /** id-ct-TSTInfo (RFC 3161 §2.4.2) */
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  /** id-aa-signingCertificate, SHA-1 (RFC 2634 §5.4) */
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  /** id-aa-signingCertificateV2 (RFC 5035 §3) */
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  /** id-aa-signatureTimeStampToken (RFC 3161, appendix A) */
  signatureTimeStamp: '1.2.840.113549.1.9.16.2.14',
} as const;

/** What a SignedData of ours may hold: nothing inside (detached, id-data) or a TSTInfo. */
export type SignedContentType = 'data' | 'tstInfo';
