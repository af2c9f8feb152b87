import { defineCodes } from '../code-definition.ts';

/** Codes of certificates, CMS and time-stamp tokens. */
export const pkiCodes = defineCodes({
  pki_der_invalid: { status: 422, title: 'Not valid DER' },
  pki_cms_invalid: { status: 422, title: 'Not a CMS signature that is supported' },
  pki_path_invalid: { status: 422, title: 'No valid certificate path' },
  pki_timestamp_refused: { status: 400, title: 'The time-stamp request is refused' },
  pki_timestamp_response_invalid: { status: 502, title: 'The time-stamp response is not valid' },
  pki_timestamp_token_invalid: { status: 422, title: 'The time-stamp token is not valid' },
  pki_pem_invalid: { status: 422, title: 'Not valid PEM' },
  pki_certificate_invalid: { status: 422, title: 'Not a certificate that can be read' },
  pki_crl_invalid: { status: 422, title: 'Not a revocation list that can be used' },
  pki_crl_unsupported: { status: 422, title: 'A kind of revocation list that is not used' },
  pki_ocsp_invalid: { status: 422, title: 'Not an OCSP response that can be used' },
  pki_ocsp_refused: { status: 502, title: 'The OCSP responder has no answer' },
  pki_request_invalid: { status: 422, title: 'This can not be certified' },
  pki_profile_violated: { status: 422, title: 'The certificate is not as its profile wants it' },
  pki_signature_wrong: { status: 500, title: 'The signature does not verify' },
});
