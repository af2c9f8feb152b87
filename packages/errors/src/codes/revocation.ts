import { defineCodes } from '../code-definition.ts';

/** Codes of fetching revocation data and issuers' certificates, and of addresses that may be fetched from. */
export const revocationCodes = defineCodes({
  revocation_revoked: { status: 409, title: 'A certificate is revoked or suspended' },
  revocation_unavailable: { status: 503, title: 'The revocation status of a certificate can not be had' },
  revocation_stale: { status: 503, title: 'The revocation status of a certificate is too old' },
  revocation_untrusted: { status: 422, title: 'A certificate chain ends at no configured root' },
  revocation_too_many_chains: {
    status: 422,
    title: 'The document has more certificate chains than are proved at once',
  },
  egress_refused: { status: 422, title: 'The address may not be fetched from' },
  egress_failed: { status: 502, title: 'An outside server could not be used' },
});
