import { SigillumError } from '@sigillum/errors';
import type { PkiFailure } from './pki-failure.ts';

/** A refusal with the failure that goes into PKIStatusInfo. `message` is what statusString says. */
export class TimeStampRefusal extends SigillumError {
  readonly failure: PkiFailure;

  constructor(failure: PkiFailure, message: string, options: { readonly cause?: unknown } = {}) {
    super('pki_timestamp_refused', message, options);
    this.failure = failure;
  }
}
