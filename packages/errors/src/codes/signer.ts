import { defineCodes } from '../code-definition.ts';

/** Codes of the hash-signing RPC, on the wire for whole requests and for single digests. */
export const signerCodes = defineCodes({
  signer_unavailable: { status: 503, title: 'No signer can be reached' },
  signer_overloaded: { status: 503, title: 'The signer has no room for more work' },
  signer_timeout: { status: 504, title: 'The signature was not ready in time' },
  signer_deadline_too_short: { status: 400, title: 'The time left is too short' },
  signer_client_unknown: { status: 403, title: 'The client certificate is not known here' },
  signer_method_forbidden: { status: 403, title: 'The client may not use this method' },
  signer_key_unknown: { status: 404, title: 'No such key' },
  signer_key_forbidden: { status: 403, title: 'The client may not use this key' },
  signer_rate_exceeded: { status: 429, title: 'The key is used too often' },
  signer_batch_too_large: { status: 400, title: 'The key may never have so many digests at once' },
  signer_daily_limit_reached: { status: 429, title: 'The key has made all signatures of this day' },
  signer_key_quarantined: { status: 503, title: 'The key is out of use' },
  signer_key_missing: { status: 500, title: 'A key of a manifest is not on its token' },
  signer_key_mismatch: { status: 500, title: 'A key on the token is not the one of its manifest' },
  signer_manifest_invalid: { status: 500, title: 'A key manifest is not valid' },
  signer_algorithm_wrong: { status: 400, title: 'The key has another algorithm' },
  signer_digest_length_wrong: { status: 400, title: 'A digest has the wrong length' },
  signer_operation_failed: { status: 500, title: 'The HSM did not sign' },
  signer_signature_wrong: { status: 500, title: 'The HSM made a wrong signature' },
  signer_audit_unavailable: { status: 503, title: 'The signature could not be recorded' },
  signer_pin_rejected: { status: 500, title: 'The PIN of a token was not accepted' },
  signer_answer_invalid: { status: 502, title: 'The signer answered something that is not its protocol' },
});
