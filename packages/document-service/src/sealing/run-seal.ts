import type { ServerResponse } from 'node:http';
import { SigillumError } from '@sigillum/errors';
import { createUuid, encodeId } from '@sigillum/store';
import type { Services } from '../services.ts';
import { type AdmittedSeal, admitSeal, type SealRequest } from './admit.ts';
import { makeSeal } from './make-seal.ts';
import { type PendingSeal, recordIntent } from './record-intent.ts';
import { recordFailure, recordOutcome } from './record-outcome.ts';
import type { Replay } from './replay.ts';
import { sendSealed } from './send-sealed.ts';

/** Told which seal it is before the answer begins: for the log line, which is written at its end. */
export type SealListener = (seal: { readonly publicId: string; readonly replayed: boolean }) => void;

/**
 * One seal, end to end: admit, intent, prepare, sign, time-stamp, assemble, outcome, and only then the answer. What a
 * caller holds is always recorded; what isn't recorded was received by nobody.
 *
 * @throws SigillumError as long as nothing has been sent
 */
export async function runSeal(
  services: Services,
  request: SealRequest,
  response: ServerResponse,
  onSeal: SealListener,
): Promise<void> {
  const { metrics, places, stepGate, atWork } = services;
  const leave = places.take();
  const id = createUuid(services.now().getTime());
  let admitted: AdmittedSeal | undefined;
  try {
    await stepGate('admit', request.requestId);
    const mine = await metrics.measure('admit', () => admitSeal(services, request));
    admitted = mine;
    if (mine.replay !== undefined) return await answerReplay(services, mine, mine.replay, response, onSeal);
    await stepGate('intent', request.requestId);
    if (response.destroyed) throw callerGone();
    // Before it is in the database: from then on the sweeper would end it as a left-over.
    atWork.add(id);
    const seal = await metrics.measure('intent', () => recordIntent(services, mine, id));
    if ('increment' in seal) return await answerReplay(services, mine, seal, response, onSeal);
    onSeal({ publicId: seal.publicId, replayed: false });
    const increment = await completeOrFail(services, mine, seal, response);
    await stepGate('answer', seal.publicId);
    const answer = { publicId: seal.publicId, document: mine.document, increment, replayed: false };
    await metrics.measure('answer', () => sendSealed(response, answer));
  } finally {
    atWork.delete(id);
    await admitted?.document.dispose();
    leave();
  }
}

/** Steps 3 to 7 of a pending seal. Whatever happens, it doesn't stay pending while we can still write. */
async function completeOrFail(
  services: Services,
  admitted: AdmittedSeal,
  seal: PendingSeal,
  response: ServerResponse,
): Promise<Uint8Array> {
  const interruption = watchInterruption(response, services.limits.seal_ms);
  try {
    const made = await makeSeal(services, admitted, seal, interruption.signal);
    await services.stepGate('outcome', seal.publicId);
    await services.metrics.measure('outcome', () => recordOutcome(services, admitted, seal, made));
    services.metrics.count('completed');
    return made.sealed.increment;
  } catch (error) {
    services.metrics.count(error instanceof SigillumError ? 'refused' : 'failed');
    await recordFailure(services, admitted, seal, error);
    throw error;
  } finally {
    interruption.stop();
  }
}

/** Ends work on a seal whose caller has gone or whose time is over. From the outcome on it goes on regardless. */
function watchInterruption(response: ServerResponse, timeoutMs: number): { signal: AbortSignal; stop(): void } {
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

async function answerReplay(
  services: Services,
  { document }: AdmittedSeal,
  { seal, increment }: Replay,
  response: ServerResponse,
  onSeal: SealListener,
): Promise<void> {
  services.metrics.count('replayed');
  const publicId = encodeId('seal', seal.id);
  onSeal({ publicId, replayed: true });
  await sendSealed(response, { publicId, document, increment, replayed: true });
}

function callerGone(): SigillumError {
  return new SigillumError('request_aborted', 'The caller hung up.');
}
