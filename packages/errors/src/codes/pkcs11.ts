import { defineCodes } from '../code-definition.ts';

/** Codes of the PKCS#11 module and token. None of them reaches a client of the public API. */
export const pkcs11Codes = defineCodes({
  pkcs11_module_unusable: { status: 500, title: 'The PKCS#11 module cannot be used' },
  pkcs11_slot_not_free: { status: 500, title: 'There is no slot for a new token' },
  pkcs11_token_not_found: { status: 500, title: 'No such token' },
  pkcs11_token_ambiguous: { status: 500, title: 'Several tokens match' },
  pkcs11_token_exists: { status: 409, title: 'A token of that label exists' },
  pkcs11_key_not_found: { status: 404, title: 'No such key on the token' },
  pkcs11_key_ambiguous: { status: 500, title: 'Several keys have the same identifier' },
  pkcs11_key_attributes_wrong: { status: 500, title: 'The key does not have the attributes it must have' },
  pkcs11_key_malformed: { status: 500, title: 'The key cannot be read' },
  pkcs11_algorithm_unfit: { status: 400, title: 'The algorithm does not fit the key' },
  pkcs11_digest_length_wrong: { status: 400, title: 'The digest has the wrong length' },
  pkcs11_signature_malformed: { status: 500, title: 'The HSM answered something that is no signature' },
  pkcs11_lanes_full: { status: 503, title: 'Too many operations wait for the HSM' },
  pkcs11_request_refused: { status: 500, title: 'The HSM refused the request' },
  pkcs11_session_lost: { status: 503, title: 'The session with the HSM is gone' },
  pkcs11_busy: { status: 503, title: 'The HSM is busy' },
  pkcs11_token_down: { status: 503, title: 'The HSM is not available' },
  pkcs11_pin_rejected: { status: 500, title: 'The PIN was not accepted' },
  pkcs11_failure_unknown: { status: 500, title: 'The HSM failed in an unknown way' },
});
