import { isSigillumError } from '@sigillum/errors';
import { Pkcs11Failure } from '@sigillum/pkcs11';
import type { PinFileStamp, SignerFatal } from '../signer-messages.ts';
import type { FailureClasses } from './failure-classes.ts';

/** Ends a signer process with a reason for the daemon. */
export class SignerFailure extends Error {
  override readonly name = 'SignerFailure';
  readonly fatal: SignerFatal;

  constructor(fatal: SignerFatal) {
    super(fatal.reason);
    this.fatal = fatal;
  }
}

/** What an error at the start means. Only numbers and our own words leave the process. */
export function toFatal(error: unknown, stamp: PinFileStamp | undefined, classes: FailureClasses): SignerFatal {
  if (error instanceof SignerFailure) return error.fatal;
  const number = error instanceof Pkcs11Failure ? error.returnCode : undefined;
  const returnCode = number === undefined ? {} : { returnCode: number };
  const isPin =
    error instanceof Pkcs11Failure ? classes.ofCode(error) === 'pin' : isSigillumError(error, 'pkcs11_pin_rejected');
  // Only where a PIN was tried: the same number from another call is no attempt.
  if (isPin && stamp) return { reason: 'pin-rejected', ...returnCode, pin: stamp };
  if (isSigillumError(error, 'pkcs11_module_unusable')) return { reason: 'module-unusable', ...returnCode };
  if (isSigillumError(error, 'pkcs11_token_not_found', 'pkcs11_token_ambiguous')) return { reason: 'token-missing' };
  return { reason: 'token-down', ...returnCode };
}
