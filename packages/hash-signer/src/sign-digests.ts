import { getDigestOf } from '@sigillum/algorithms';
import type { AuditLog, JsonObject } from '@sigillum/audit';
import { codeRegistry, type ErrorCode, SigillumError } from '@sigillum/errors';
import type { Logger } from '@sigillum/service-kit';
import type { SignDigestsAnswer, SignDigestsRequest } from '@sigillum/signer-rpc';
import { type AuditSubject, createDiscardedEvent, createItemEvent, createWithheldEvent } from './audit-event.ts';
import type { AuditRecorder } from './audit-recorder.ts';
import type { ClientPolicy, Limits } from './config.ts';
import type { KeyRegistry } from './key-registry.ts';
import type { PendingWork } from './pending-work.ts';
import type { RateLimits } from './rate-limits.ts';
import type { ServedKey } from './served-keys.ts';
import type { SignerMetrics } from './signer-metrics.ts';
import type { TokenSigners } from './token-signers.ts';
import { WorkBatch } from './work-batch.ts';
import type { WorkItem, WorkOutcome } from './work-item.ts';

export type SignDigestsDependencies = {
  readonly audit: AuditLog;
  readonly recorder: Pick<AuditRecorder, 'record' | 'isUsable'>;
  readonly registry: KeyRegistry;
  readonly tokens: ReadonlyMap<
    string,
    Pick<TokenSigners, 'admit' | 'abandon' | 'findRefusal' | 'noteOverload' | 'serves'>
  >;
  readonly rates: RateLimits;
  readonly pending: PendingWork;
  readonly limits: Pick<Limits, 'min_timeout_ms'>;
  readonly logger: Logger;
  readonly metrics: SignerMetrics;
};

const RETRY = { retryAfterSeconds: 1 };

/** From an authorised request to its answer: check, queue, wait, record, answer. */
export class DigestSigning {
  readonly #with: SignDigestsDependencies;

  constructor(dependencies: SignDigestsDependencies) {
    this.#with = dependencies;
  }

  /**
   * Whether a request of this client can be taken in at all, before anything of it is read.
   * @param digests that it can have at most
   * @throws `signer_overloaded`, `signer_unavailable` when there is room for none of its purposes,
   * `signer_audit_unavailable` while nothing can be recorded
   */
  assertRoom(client: Pick<ClientPolicy, 'name' | 'purposes'>, digests: number): void {
    let refusal = this.#findAuditRefusal();
    if (refusal) throw refusal;
    const full: (() => void)[] = [];
    const isFirst = this.#with.pending.isIdle(client);
    for (const token of this.#with.tokens.values()) {
      for (const purpose of client.purposes) {
        if (!token.serves(purpose)) continue;
        refusal = token.findRefusal(purpose, { digests, isFirst });
        if (!refusal) return;
        if (refusal.code === 'signer_overloaded') full.push(() => token.noteOverload(purpose));
      }
    }
    // Only now: a purpose without room is no overload for a client that has room for another.
    for (const note of full) note();
    if (refusal) throw refusal;
  }

  /** Nothing is signed that can't be recorded. */
  get canRecord(): boolean {
    return this.#with.recorder.isUsable;
  }

  #findAuditRefusal(): SigillumError | undefined {
    const { audit, recorder } = this.#with;
    return recorder.isUsable ? undefined : auditUnavailable(audit.failure);
  }

  /**
   * Signs and records. It runs to its end also when the caller hangs up: what the HSM made is in the log.
   * @param arrivedAt on the clock of `performance.now()`
   * @throws SigillumError when no digest was signed, and when the log can't be written
   */
  async sign(
    client: ClientPolicy,
    key: ServedKey,
    request: SignDigestsRequest,
    arrivedAt: number,
  ): Promise<SignDigestsAnswer> {
    const { pending, tokens } = this.#with;
    this.#assertFits(key, request);
    const token = tokens.get(key.tokenSerial);
    if (!token) throw new SigillumError('signer_unavailable', 'The token of the key is out of use.', RETRY);
    const refusal = this.#findAuditRefusal();
    if (refusal) throw refusal;
    const digests = request.digests.map(({ digest }) => new Uint8Array(Buffer.from(digest, 'base64')));
    const isFirst = pending.isIdle(client);
    const release = pending.enter(client, digests.length);
    try {
      const deadline = arrivedAt + request.timeout_ms;
      const batch = new WorkBatch(key, digests, deadline);
      this.#admit(token, batch, key, isFirst);
      await batch.wait();
      token.abandon(batch.items);
      const caller = { client: client.name, requestId: request.request_id };
      return await this.#answer(batch, key, caller, request, deadline);
    } finally {
      release();
    }
  }

  /** Nothing of a request that isn't admitted counts against its key's day. */
  #admit(token: Pick<TokenSigners, 'admit'>, batch: WorkBatch, key: ServedKey, isFirst: boolean): void {
    const { rates } = this.#with;
    rates.take(key, batch.items.length);
    try {
      token.admit(batch.items, isFirst);
    } catch (error) {
      rates.giveBack(key, batch.items.length);
      throw error;
    }
  }

  async #answer(
    batch: WorkBatch,
    key: ServedKey,
    caller: Omit<AuditSubject, 'context'>,
    request: SignDigestsRequest,
    deadline: number,
  ): Promise<SignDigestsAnswer> {
    const now = new Date();
    const subjects = request.digests.map(({ context }) => ({ ...caller, context }));
    const outcomes: WorkOutcome[] = [];
    const events: JsonObject[] = [];
    for (const [index, item] of batch.items.entries()) {
      const subject = subjects[index];
      if (!subject) throw new RangeError('a digest without a context');
      const outcome = item.settled ?? timedOut(item);
      if (!item.settled) batch.onLate(item, (late) => this.#acceptLate(item, subject, late));
      outcomes.push(outcome);
      events.push(createItemEvent(item, subject, outcome, now));
    }
    // What may still be signed late stays counted for the day.
    const unsigned = batch.items.filter((item) => item.settled?.kind === 'failed').length;
    if (unsigned > 0) this.#with.rates.giveBack(key, unsigned);
    try {
      await this.#with.recorder.record(events, deadline);
    } catch (cause) {
      this.#withhold(batch, subjects, outcomes);
      throw auditUnavailable(cause);
    }
    for (const outcome of outcomes) this.#count(key, outcome);
    return createAnswer(outcomes);
  }

  #assertFits(key: ServedKey, request: SignDigestsRequest): void {
    const { limits, registry } = this.#with;
    const least = limits.min_timeout_ms;
    if (request.timeout_ms < least) {
      const fields = [{ pointer: '/timeout_ms', detail: `At least ${least}.` }];
      throw new SigillumError('signer_deadline_too_short', `Leave at least ${least} ms.`, { fields });
    }
    if (request.algorithm !== key.algorithm) {
      const fields = [{ pointer: '/algorithm', detail: `The key has ${key.algorithm}.` }];
      throw new SigillumError('signer_algorithm_wrong', `The key ${key.name} signs with ${key.algorithm}.`, { fields });
    }
    const { length } = getDigestOf(key.algorithm);
    const fields = request.digests.flatMap(({ digest }, index) =>
      Buffer.byteLength(digest, 'base64') === length
        ? []
        : [{ pointer: `/digests/${index}/digest`, detail: `${key.algorithm} takes digests of ${length} bytes.` }],
    );
    if (fields.length > 0) {
      throw new SigillumError('signer_digest_length_wrong', `A digest does not have ${length} bytes.`, { fields });
    }
    if (registry.isQuarantined(key.keyId)) {
      const message = `The key ${key.name} made a wrong signature and is out of use.`;
      throw new SigillumError('signer_key_quarantined', message);
    }
  }

  /** The caller was told that its time is over; what comes after that is recorded as discarded. */
  #acceptLate(item: WorkItem, subject: AuditSubject, outcome: WorkOutcome): void {
    const { audit, logger, metrics, rates } = this.#with;
    if (outcome.kind !== 'signed') {
      rates.giveBack(item.key, 1);
      return;
    }
    metrics.discarded.inc({ purpose: item.key.purpose });
    audit
      .append(createDiscardedEvent(item, subject, new Date()))
      .catch((error: unknown) => logger.error('a discarded signature is not recorded', { error }));
  }

  /** The lines of a request came too late, or never: its caller had no signature, and the log says so behind them. */
  #withhold(batch: WorkBatch, subjects: readonly AuditSubject[], outcomes: readonly WorkOutcome[]): void {
    const { audit, logger, metrics } = this.#with;
    const now = new Date();
    const events: JsonObject[] = [];
    for (const [index, item] of batch.items.entries()) {
      const [subject, outcome] = [subjects[index], outcomes[index]];
      if (outcome?.kind !== 'signed' || !subject) continue;
      metrics.discarded.inc({ purpose: item.key.purpose });
      events.push(createWithheldEvent(item, subject, outcome.signature, now));
    }
    if (events.length === 0 || audit.failure) return;
    audit
      .appendAll(events)
      .catch((error: unknown) => logger.error('signatures that did not leave are not recorded as such', { error }));
  }

  #count({ purpose, algorithm }: ServedKey, outcome: WorkOutcome): void {
    const { metrics } = this.#with;
    metrics.items.inc({ purpose, algorithm, outcome: outcome.kind === 'signed' ? 'signed' : outcome.code });
    metrics.queueSeconds.observe({ purpose }, outcome.queueMs / 1000);
    if (outcome.executionMs > 0) metrics.executionSeconds.observe({ algorithm }, outcome.executionMs / 1000);
  }
}

function auditUnavailable(cause: unknown): SigillumError {
  return new SigillumError('signer_audit_unavailable', 'Nothing is signed that cannot be recorded.', {
    cause,
    ...RETRY,
  });
}

function timedOut(item: WorkItem): WorkOutcome {
  return { kind: 'failed', code: 'signer_timeout', queueMs: item.waitedMs(), executionMs: 0 };
}

function createAnswer(outcomes: readonly WorkOutcome[]): SignDigestsAnswer {
  if (!outcomes.some(({ kind }) => kind === 'signed')) throw toError(outcomes);
  return {
    results: outcomes.map((outcome) =>
      outcome.kind === 'signed'
        ? { signature: Buffer.from(outcome.signature).toString('base64') }
        : { code: outcome.code },
    ),
  };
}

/** No digest was signed: the first one's code is the answer's. */
function toError(outcomes: readonly WorkOutcome[]): SigillumError {
  const first = outcomes[0];
  const code: ErrorCode = first?.kind === 'failed' ? first.code : 'signer_operation_failed';
  const { status, title } = codeRegistry[code];
  return new SigillumError(code, `${title}.`, status === 503 || status === 504 ? RETRY : {});
}
