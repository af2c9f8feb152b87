import type { ServerResponse } from 'node:http';
import { createUuid, encodeId } from '@sigillum/store';
import { whileMoving } from '../intake/while-moving.ts';
import type { Services } from '../services.ts';
import { tenantOf } from './admit.ts';
import { completePending } from './complete-pending.ts';
import { callerGone } from './interruption.ts';
import { type PendingSeal, recordIntent } from './record-intent.ts';
import { type RecordedWork, recordOutcome } from './record-outcome.ts';
import type { Replay } from './replay.ts';
import { type AnswerFacts, concatenateSealed, sendSealed } from './send-sealed.ts';
import type { AdmittedWork, DocumentRequest, MadeWork, Work } from './work.ts';

/** How the caller gets an answer: in which form, and what is told before it begins, for the log line. */
export type AnswerPort = {
  onSeal(seal: { readonly publicId: string; readonly replayed: boolean }): void;
  /** Sends the JSON answer about a seal that is completed. */
  sendResource(facts: AnswerFacts): Promise<void>;
};

/**
 * One document, end to end: admit, intent, the work itself, outcome, and only then the answer. What a caller holds is always
 * recorded; what isn't recorded was received by nobody.
 *
 * @throws SigillumError as long as nothing has been sent
 */
export async function runWork<Admitted extends AdmittedWork>(
  services: Services,
  work: Work<Admitted>,
  request: DocumentRequest,
  response: ServerResponse,
  answer: AnswerPort,
): Promise<void> {
  const { metrics, places, stepGate, atWork } = services;
  const leave = places.take(request.caller.id);
  const id = createUuid(services.now().getTime());
  let admitted: Admitted | undefined;
  try {
    await stepGate('admit', request.requestId);
    const mine = await metrics.measure('admit', () =>
      whileMoving(response, services.limits, (signal) => work.admit(services, request, signal)),
    );
    admitted = mine;
    if (mine.replay !== undefined) return await answerReplay(services, mine, mine.replay, response, answer);
    await stepGate('intent', request.requestId);
    if (response.destroyed) throw callerGone();
    // Before it is in the database: from then on the sweeper would end it as a left-over.
    atWork.add(id);
    const seal = await metrics.measure('intent', () => recordIntentOf(services, mine, id));
    if ('kept' in seal) return await answerReplay(services, mine, seal, response, answer);
    answer.onSeal({ publicId: seal.publicId, replayed: false });
    const made = await complete(services, work, mine, seal, response);
    await stepGate('answer', seal.publicId);
    const facts = { publicId: seal.publicId, leftAlone: made.outcome.leftAlone?.length ?? 0, replayed: false };
    await metrics.measure('answer', () => sendAnswer(services, mine, facts, made.increment, response, answer));
  } finally {
    atWork.delete(id);
    await admitted?.document.dispose();
    leave();
  }
}

function recordIntentOf(services: Services, admitted: AdmittedWork, id: string): Promise<PendingSeal | Replay> {
  const { request, kind, route, credential, level, document, fingerprint } = admitted;
  return recordIntent(
    services,
    {
      ...tenantOf(request.caller),
      id,
      kind,
      credentialId: credential?.id,
      level,
      requestId: request.requestId,
      content: { size: document.source.size, sha256: document.sha256 },
    },
    { route, key: request.idempotencyKey, fingerprint },
  );
}

/** The work on a pending seal. */
async function complete<Admitted extends AdmittedWork>(
  services: Services,
  work: Work<Admitted>,
  admitted: Admitted,
  seal: PendingSeal,
  response: ServerResponse,
): Promise<MadeWork> {
  const { document, request, kind, level, credential } = admitted;
  const recorded: RecordedWork = {
    kind,
    level,
    credential,
    requestId: request.requestId,
    apiKeyId: request.caller.id,
    document: { size: document.source.size, sha256: document.sha256 },
    digest: undefined,
  };
  return completePending(services, recorded, seal, response, async (signal) => {
    const made = await work.make(services, admitted, seal, signal);
    const { increment, outcome } = made;
    await services.stepGate('outcome', seal.publicId);
    await services.metrics.measure('outcome', async () => {
      const sealed = {
        size: document.source.size + increment.length,
        sha256: document.sha256State.finish([increment]),
      };
      const retained = await retain(services, admitted, increment);
      await recordOutcome(services, recorded, seal, { ...outcome, sealed }, increment, retained);
    });
    return made;
  });
}

/** Keeps the sealed file when that was asked for. */
async function retain(
  services: Services,
  { document, retainSeconds }: AdmittedWork,
  increment: Uint8Array,
): Promise<{ readonly sha256: Uint8Array; readonly expiresAt: Date } | undefined> {
  if (retainSeconds === 0) return undefined;
  const sha256 = await services.blobs.putStream(concatenateSealed(document, increment));
  return { sha256, expiresAt: new Date(services.now().getTime() + retainSeconds * 1000) };
}

async function answerReplay(
  services: Services,
  admitted: AdmittedWork,
  { seal, kept }: Replay,
  response: ServerResponse,
  answer: AnswerPort,
): Promise<void> {
  services.metrics.count('replayed');
  const publicId = encodeId(seal.kind === 'extension' ? 'ext' : 'seal', seal.id);
  answer.onSeal({ publicId, replayed: true });
  const facts = { publicId, leftAlone: seal.outcome?.leftAlone?.length ?? 0, replayed: true };
  await sendAnswer(services, admitted, facts, kept, response, answer);
}

async function sendAnswer(
  services: Services,
  { request, document, kind }: AdmittedWork,
  facts: AnswerFacts,
  increment: Uint8Array,
  response: ServerResponse,
  answer: AnswerPort,
): Promise<void> {
  if (request.answer === 'application/json') return answer.sendResource(facts);
  await sendSealed(response, { kind, ...facts, document, increment }, services.limits);
}
