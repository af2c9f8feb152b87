import { type ErrorCode, SigillumError } from '@sigillum/errors';
import { classifyReturnCode, parseReturnCode, type ReturnCodeClass } from './return-code.ts';

const codeOfClass: Readonly<Record<ReturnCodeClass, ErrorCode>> = {
  request: 'pkcs11_request_refused',
  session: 'pkcs11_session_lost',
  busy: 'pkcs11_busy',
  'token-down': 'pkcs11_token_down',
  pin: 'pkcs11_pin_rejected',
  unknown: 'pkcs11_failure_unknown',
};

/** A failed PKCS#11 call: its number and class. `message` holds our words only, the HSM's text stays out. */
export class Pkcs11Failure extends SigillumError {
  /** CKR_* number, `undefined` when the addon gave none. */
  readonly returnCode: number | undefined;
  readonly class: ReturnCodeClass;

  constructor(operation: string, returnCode: number | undefined) {
    const failureClass = classifyReturnCode(returnCode);
    const number = returnCode === undefined ? 'without a return code' : `with 0x${returnCode.toString(16)}`;
    super(codeOfClass[failureClass], `${operation} failed ${number} (${failureClass}).`);
    this.returnCode = returnCode;
    this.class = failureClass;
  }
}

/** Runs one native call and translates what it throws. */
export function callNative<T>(operation: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new Pkcs11Failure(operation, parseReturnCode(error));
  }
}

/** The class of anything thrown by this package, `unknown` for what is not a PKCS#11 failure. */
export function getFailureClass(error: unknown): ReturnCodeClass {
  return error instanceof Pkcs11Failure ? error.class : 'unknown';
}
