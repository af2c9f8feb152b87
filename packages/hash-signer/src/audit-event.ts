import { hash } from 'node:crypto';
import type { JsonObject } from '@sigillum/audit';
import type { SignContext } from '@sigillum/signer-rpc';
import type { WorkItem, WorkOutcome } from './work-item.ts';

/** Who asked for a digest and why. */
export type AuditSubject = {
  readonly client: string;
  readonly requestId: string;
  readonly context: SignContext;
};

const sha256Hex = (bytes: Uint8Array | string): string => hash('sha256', bytes, 'hex');

/** Thousandths of a millisecond are all that the clocks give. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000;

function describeContext({ authorization, ...context }: SignContext): JsonObject {
  const known = Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined)) as JsonObject;
  // It may authorise something: the log proves which one it was without giving it away.
  return authorization === undefined ? known : { ...known, authorization_sha256: sha256Hex(authorization) };
}

function describe(item: WorkItem, subject: AuditSubject, time: Date): JsonObject {
  return {
    time: time.toISOString(),
    client: subject.client,
    request_id: subject.requestId,
    key_id: item.key.keyId,
    purpose: item.key.purpose,
    algorithm: item.key.algorithm,
    digest: Buffer.from(item.digest).toString('hex'),
    context: describeContext(subject.context),
  };
}

/** The line of an answered digest. `outcome` is `signed` or the code in the answer. */
export function createItemEvent(item: WorkItem, subject: AuditSubject, outcome: WorkOutcome, time: Date): JsonObject {
  return {
    type: 'hash_signer.item_answered',
    ...describe(item, subject, time),
    queue_ms: round(outcome.queueMs),
    exec_ms: round(outcome.executionMs),
    outcome: outcome.kind === 'signed' ? 'signed' : outcome.code,
    ...(outcome.kind === 'signed' ? { signature_sha256: sha256Hex(outcome.signature) } : {}),
  };
}

/** The line of a signature that the HSM made after its answer had gone out as a time-out. It went nowhere. */
export function createDiscardedEvent(item: WorkItem, subject: AuditSubject, time: Date): JsonObject {
  return { type: 'hash_signer.signature_discarded', ...describe(item, subject, time) };
}

/**
 * The line of a signature whose own line was durable too late for its answer, or whose answer had failed by then. It
 * went nowhere, although a line before this one says `signed`.
 */
export function createWithheldEvent(
  item: WorkItem,
  subject: AuditSubject,
  signature: Uint8Array,
  time: Date,
): JsonObject {
  const event = describe(item, subject, time);
  return { type: 'hash_signer.answer_withheld', ...event, signature_sha256: sha256Hex(signature) };
}

/** The line of a start: from here on another process continues the chain. */
export function createStartedEvent(keys: number, time: Date): JsonObject {
  return { type: 'hash_signer.started', time: time.toISOString(), keys };
}
