import type { ServerResponse } from 'node:http';
import { SigillumError } from '@sigillum/errors';
import type { Services } from '../services.ts';
import { watchInterruption } from './interruption.ts';
import type { PendingSeal } from './record-intent.ts';
import { type RecordedWork, recordFailure } from './record-outcome.ts';

/**
 * Works on what is pending, while somebody waits for it and there is time. Whatever happens, it doesn't stay pending while
 * we can still write.
 *
 * @param work ends with its outcome recorded; its signal fires when the caller has gone or the time is over
 */
export async function completePending<Made>(
  services: Services,
  recorded: RecordedWork,
  seal: PendingSeal,
  response: ServerResponse,
  work: (signal: AbortSignal) => Promise<Made>,
): Promise<Made> {
  const interruption = watchInterruption(response, services.limits.seal_ms);
  try {
    const made = await work(interruption.signal);
    services.metrics.count('completed');
    return made;
  } catch (error) {
    services.metrics.count(error instanceof SigillumError ? 'refused' : 'failed');
    await recordFailure(services, recorded, seal, error);
    throw error;
  } finally {
    interruption.stop();
  }
}
