import { isSigillumError } from '@sigillum/errors';
import { classifyReturnCode, Pkcs11Failure, type ReturnCodeClass, type ReturnCodeProfile } from '@sigillum/pkcs11';
import type { FailureClass } from '../signer-messages.ts';

/** What an error means for a digest, with the vendor's differences from the usual table. */
export class FailureClasses {
  readonly #profile: ReturnCodeProfile;

  constructor(profile: ReturnCodeProfile) {
    this.#profile = profile;
  }

  /** The class of a return code; `unknown` for what is no PKCS#11 failure. */
  ofCode(error: unknown): ReturnCodeClass {
    return error instanceof Pkcs11Failure ? classifyReturnCode(error.returnCode, this.#profile) : 'unknown';
  }

  /** Whether only a fresh process helps. A PIN refused in the middle of work is a lost login. */
  isTokenDown(error: unknown): boolean {
    const found = this.ofCode(error);
    return found === 'token-down' || found === 'pin';
  }

  /** The class of a failed item that the daemon is told. */
  of(error: unknown): FailureClass {
    if (isSigillumError(error, 'pkcs11_signature_malformed')) return 'wrong';
    if (isSigillumError(error, 'pkcs11_lanes_full')) return 'busy';
    // Wrong length, algorithm or key: trying again can't help.
    if (isSigillumError(error, 'pkcs11_digest_length_wrong', 'pkcs11_algorithm_unfit', 'pkcs11_key_not_found')) {
      return 'request';
    }
    const found = this.ofCode(error);
    return found === 'token-down' || found === 'pin' ? 'unknown' : found;
  }
}
