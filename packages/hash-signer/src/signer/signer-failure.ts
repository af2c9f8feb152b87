import { isSigillumError } from '@sigillum/errors';
import { getFailureClass, Pkcs11Failure } from '@sigillum/pkcs11';
import type { PinFileStamp, SignerFatal } from '../signer-messages.ts';

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
export function toFatal(error: unknown, stamp: PinFileStamp | undefined): SignerFatal {
  if (error instanceof SignerFailure) return error.fatal;
  const number = error instanceof Pkcs11Failure ? error.returnCode : undefined;
  const returnCode = number === undefined ? {} : { returnCode: number };
  if (isSigillumError(error, 'pkcs11_pin_rejected')) {
    return { reason: 'pin-rejected', ...returnCode, ...(stamp ? { pin: stamp } : {}) };
  }
  if (isSigillumError(error, 'pkcs11_module_unusable')) return { reason: 'module-unusable', ...returnCode };
  if (isSigillumError(error, 'pkcs11_token_not_found', 'pkcs11_token_ambiguous')) return { reason: 'token-missing' };
  return { reason: 'token-down', ...returnCode };
}

/** Whether only a fresh process helps. */
export function isTokenDown(error: unknown): boolean {
  return getFailureClass(error) === 'token-down';
}
