import { defineCodes } from '../code-definition.ts';

/** Codes of seals, credentials and idempotency. */
export const sealCodes = defineCodes({
  seal_not_found: { status: 404, title: 'No such seal' },
  seal_level_unsupported: { status: 422, title: 'This signature level is not offered' },
  seal_document_empty: { status: 422, title: 'The document is empty' },
  seal_time_implausible: { status: 503, title: 'Signing time and time-stamp do not fit together' },
  seal_signing_refused: { status: 502, title: 'The signer refused to sign' },
  seal_timeout: { status: 503, title: 'The seal took too long' },
  seal_document_not_kept: { status: 404, title: 'The sealed document was not kept' },
  seal_document_expired: { status: 410, title: 'The sealed document is no longer kept' },
  seal_contents_too_small: { status: 409, title: 'The room for the signature is too small' },
  seal_signing_time_outside: { status: 409, title: 'The signing time lies outside what is allowed now' },
  seal_time_stamp_given: { status: 409, title: 'The seal has its document time-stamp already' },
  seal_time_stamp_not_due: { status: 409, title: 'The seal gets no document time-stamp' },
  extension_not_found: { status: 404, title: 'No such extension' },
  seal_swept: { status: 503, title: 'The seal was ended as stale' },
  credential_not_found: { status: 404, title: 'No such credential' },
  credential_required: { status: 422, title: 'A credential has to be named' },
  credential_suspended: { status: 409, title: 'The credential is suspended' },
  credential_revoked: { status: 409, title: 'The credential is revoked' },
  credential_expired: { status: 409, title: 'The certificate is outside its validity' },
  credential_status_unknown: { status: 503, title: 'The revocation status can not be told at the moment' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key belongs to another request' },
  idempotency_key_in_flight: { status: 409, title: 'The first request with this idempotency key still runs' },
});
