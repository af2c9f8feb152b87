import { codeRegistry, SigillumError } from '@sigillum/errors';

/**
 * After preparing, nothing that fails is the caller's doing: a 4xx there would be answered again for a day. What a
 * revocation service said about the credential is told apart: it is revoked, whoever asks.
 */
export function asOurFault(error: unknown): unknown {
  if (!(error instanceof SigillumError) || codeRegistry[error.code].status >= 500) return error;
  if (error.code === 'request_aborted') return error;
  if (error.code === 'revocation_revoked') {
    return new SigillumError('credential_revoked', `Nothing is sealed: ${error.message}`, { cause: error });
  }
  if (error.code === 'pades_time_outside') {
    return new SigillumError('seal_time_implausible', error.message, { cause: error, retryAfterSeconds: 5 });
  }
  return new SigillumError('internal_error', 'The seal could not be made. Nothing was given out.', { cause: error });
}
