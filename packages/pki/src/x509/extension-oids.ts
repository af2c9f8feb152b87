/** Object identifiers of certificate and CRL extensions and of what stands in them (RFC 5280 §4.2, §5.2). */
export const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  privateKeyUsagePeriod: '2.5.29.16',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  crlReason: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** What narrows a CRL down (RFC 5280 §5.2.4, §5.2.5): of CRLs only, so that no certificate is understood for having them. */
export const crlExtensionOids = { deltaCrlIndicator: '2.5.29.27', issuingDistributionPoint: '2.5.29.28' } as const;

/** Access methods of AIA (RFC 5280 §4.2.2.1). */
export const accessMethodOids = { ocsp: '1.3.6.1.5.5.7.48.1', caIssuers: '1.3.6.1.5.5.7.48.2' } as const;
