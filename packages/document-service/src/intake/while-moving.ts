import type { ServerResponse } from 'node:http';
import { SigillumError } from '@sigillum/errors';
import type { Limits } from '../config.ts';
import { callerGone } from '../sealing/interruption.ts';
import { watchTransfer } from './watch-transfer.ts';

/**
 * Takes in a request's body while it moves: an upload that stands still or crawls is given up.
 *
 * @param take is given the signal that fires then
 * @throws SigillumError `request_timeout` through the signal, `request_aborted` when the caller is gone already
 */
export async function whileMoving<T>(
  { socket }: ServerResponse,
  { upload_idle_ms: windowMs, upload_bytes_per_s: minBytesPerSecond }: Limits,
  take: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (socket === null) throw callerGone();
  const abort = new AbortController();
  const stop = watchTransfer(socket, 'bytesRead', { windowMs, minBytesPerSecond }, () => {
    const what = `Less than ${minBytesPerSecond} bytes per second of the body arrived in ${windowMs / 1000} seconds.`;
    abort.abort(new SigillumError('request_timeout', what));
  });
  try {
    return await take(abort.signal);
  } finally {
    stop();
  }
}
