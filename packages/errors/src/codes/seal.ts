import { defineCodes } from '../code-definition.ts';

/** Codes of seals, credentials and idempotency. */
export const sealCodes = defineCodes({
  seal_not_found: { status: 404, title: 'No such seal' },
  seal_level_unsupported: { status: 422, title: 'This signature level is not offered' },
  seal_document_empty: { status: 422, title: 'The document is empty' },
  seal_time_implausible: { status: 503, title: 'Signing time and time-stamp do not fit together' },
  seal_signing_refused: { status: 502, title: 'The signer refused to sign' },
  seal_timeout: { status: 503, title: 'The seal took too long' },
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
