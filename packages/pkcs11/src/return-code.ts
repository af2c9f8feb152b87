/**
 * What a failed PKCS#11 call means for the caller:
 * - `request`: this call can never succeed; keep the session, never try again;
 * - `session`: session or handles are gone; replace them, then try once more;
 * - `busy`: the HSM has no room now; back off;
 * - `token-down`: only a fresh process (finalise, initialise, login) helps;
 * - `pin`: the PIN was not accepted; never try the same one again;
 * - `unknown`: none of the above is certain.
 */
export type ReturnCodeClass = 'request' | 'session' | 'busy' | 'token-down' | 'pin' | 'unknown';

/** Differences of one vendor from {@link returnCodeClasses}, by number. */
export type ReturnCodeProfile = ReadonlyMap<number, ReturnCodeClass>;

/**
 * CKR_* by number (PKCS#11 v3.1 §6.1). By number only: the addon names what it does not know CKR_VENDOR_DEFINED,
 * codes of version 3 among them.
 */
export const returnCodeClasses: ReadonlyMap<number, ReturnCodeClass> = new Map<number, ReturnCodeClass>([
  [0x02, 'busy'], // HOST_MEMORY
  [0x03, 'token-down'], // SLOT_ID_INVALID: slot ids change when a token comes back
  [0x05, 'token-down'], // GENERAL_ERROR: "the library may be in an inconsistent state"
  [0x06, 'unknown'], // FUNCTION_FAILED: CloudHSM throttles with it, others break with it
  [0x07, 'request'], // ARGUMENTS_BAD
  [0x10, 'request'], // ATTRIBUTE_READ_ONLY
  [0x11, 'request'], // ATTRIBUTE_SENSITIVE
  [0x12, 'request'], // ATTRIBUTE_TYPE_INVALID
  [0x13, 'request'], // ATTRIBUTE_VALUE_INVALID
  [0x1b, 'request'], // ACTION_PROHIBITED
  [0x20, 'request'], // DATA_INVALID
  [0x21, 'request'], // DATA_LEN_RANGE
  [0x30, 'token-down'], // DEVICE_ERROR
  [0x31, 'busy'], // DEVICE_MEMORY
  [0x32, 'token-down'], // DEVICE_REMOVED: sticky until finalise + initialise
  [0x50, 'busy'], // FUNCTION_CANCELED
  [0x54, 'request'], // FUNCTION_NOT_SUPPORTED
  [0x60, 'session'], // KEY_HANDLE_INVALID
  [0x62, 'request'], // KEY_SIZE_RANGE
  [0x63, 'request'], // KEY_TYPE_INCONSISTENT
  [0x68, 'request'], // KEY_FUNCTION_NOT_PERMITTED
  [0x70, 'request'], // MECHANISM_INVALID
  [0x71, 'request'], // MECHANISM_PARAM_INVALID
  [0x82, 'session'], // OBJECT_HANDLE_INVALID
  [0x90, 'session'], // OPERATION_ACTIVE: a new session is clean, draining with C_Sign would sign
  [0x91, 'session'], // OPERATION_NOT_INITIALIZED
  [0xa0, 'pin'], // PIN_INCORRECT
  [0xa1, 'pin'], // PIN_INVALID
  [0xa2, 'pin'], // PIN_LEN_RANGE
  [0xa3, 'pin'], // PIN_EXPIRED
  [0xa4, 'pin'], // PIN_LOCKED
  [0xb0, 'session'], // SESSION_CLOSED
  [0xb1, 'busy'], // SESSION_COUNT
  [0xb3, 'session'], // SESSION_HANDLE_INVALID
  [0xb5, 'request'], // SESSION_READ_ONLY
  [0xc0, 'request'], // SIGNATURE_INVALID
  [0xc1, 'request'], // SIGNATURE_LEN_RANGE
  [0xd0, 'request'], // TEMPLATE_INCOMPLETE
  [0xd1, 'request'], // TEMPLATE_INCONSISTENT
  [0xe0, 'token-down'], // TOKEN_NOT_PRESENT
  [0xe1, 'token-down'], // TOKEN_NOT_RECOGNIZED
  [0xe2, 'request'], // TOKEN_WRITE_PROTECTED
  [0x100, 'token-down'], // USER_ALREADY_LOGGED_IN: our picture of the login is wrong
  [0x101, 'token-down'], // USER_NOT_LOGGED_IN: the login is lost; logging in again is a new process's work
  [0x102, 'pin'], // USER_PIN_NOT_INITIALIZED
  [0x103, 'request'], // USER_TYPE_INVALID
  [0x104, 'token-down'], // USER_ANOTHER_ALREADY_LOGGED_IN
  [0x130, 'request'], // DOMAIN_PARAMS_INVALID
  [0x140, 'request'], // CURVE_NOT_SUPPORTED
  [0x150, 'request'], // BUFFER_TOO_SMALL
  [0x190, 'token-down'], // CRYPTOKI_NOT_INITIALIZED
  [0x191, 'request'], // CRYPTOKI_ALREADY_INITIALIZED
  [0x1b8, 'pin'], // PIN_TOO_WEAK
  [0x1b9, 'request'], // PUBLIC_KEY_INVALID
  [0x200, 'request'], // FUNCTION_REJECTED
  [0x201, 'busy'], // TOKEN_RESOURCE_EXCEEDED
]);

/** CKR_SIGNATURE_INVALID and CKR_SIGNATURE_LEN_RANGE: C_Verify's ways of saying no. */
export const signatureRefusals: ReadonlySet<number> = new Set([0xc0, 0xc1]);

const messageForm = /\bCKR_[A-Z0-9_]+:(\d{1,20})\b/;

/**
 * The number in whatever the addon threw, `undefined` when there is none: some calls throw plain Errors whose message
 * alone holds it, some (missing library, wrong arguments) have none at all. The only place where a message is parsed.
 */
export function parseReturnCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  if (name === 'Pkcs11Error' && typeof code === 'number' && code > 0) return code;
  const found = typeof message === 'string' ? messageForm.exec(message)?.[1] : undefined;
  return found === undefined ? undefined : Number(found);
}

/** The class of a return code; a vendor's profile comes first. */
export function classifyReturnCode(code: number | undefined, profile?: ReturnCodeProfile): ReturnCodeClass {
  if (code === undefined) return 'unknown';
  return profile?.get(code) ?? returnCodeClasses.get(code) ?? 'unknown';
}
