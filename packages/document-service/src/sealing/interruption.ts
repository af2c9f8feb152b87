import type { ServerResponse } from 'node:http';
import { SigillumError } from '@sigillum/errors';

/** Ends work on a seal whose caller has gone or whose time is over. From the outcome on it goes on regardless. */
export function watchInterruption(
  response: ServerResponse,
  timeoutMs: number,
): { readonly signal: AbortSignal; stop(): void } {
  const abort = new AbortController();
  const onClose = (): void => abort.abort(callerGone());
  const timer = setTimeout(() => {
    abort.abort(new SigillumError('seal_timeout', 'The seal took too long. Try again.', { retryAfterSeconds: 1 }));
  }, timeoutMs);
  response.once('close', onClose);
  if (response.destroyed) onClose();
  return {
    signal: abort.signal,
    stop() {
      clearTimeout(timer);
      response.off('close', onClose);
    },
  };
}

/** The error for a caller who hung up. */
export function callerGone(): SigillumError {
  return new SigillumError('request_aborted', 'The caller hung up.');
}
