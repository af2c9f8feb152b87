import { setTimeout as sleep } from 'node:timers/promises';
import { getDigestOf } from '@sigillum/algorithms';
import type { AuditLog, JsonObject } from '@sigillum/audit';
import { codeRegistry, type ErrorCode, SigillumError } from '@sigillum/errors';
import type { Logger } from '@sigillum/service-kit';
import type { SignDigestsAnswer, SignDigestsRequest } from '@sigillum/signer-rpc';
import { type AuditSubject, createDiscardedEvent, createItemEvent } from './audit-event.ts';
import type { ServedKey } from './key-manifest.ts';
import type { KeyRegistry } from './key-registry.ts';
import type { SignerMetrics } from './signer-metrics.ts';
import type { TokenSigners } from './token-signers.ts';
import { WorkItem, type WorkOutcome } from './work-item.ts';

export type SignDigestsDependencies = {
  readonly audit: AuditLog;
  readonly registry: KeyRegistry;
  readonly tokens: ReadonlyMap<string, TokenSigners>;
  readonly minTimeoutMs: number;
  readonly logger: Logger;
  readonly metrics: SignerMetrics;
};

/** A disk that takes longer than this for a line is as good as none; the caller gets an error, never a signature. */
const AUDIT_WAIT_MS = 5_000;

const RETRY = { retryAfterSeconds: 1 };

type Entry = { readonly item: WorkItem; readonly subject: AuditSubject };

/** From an authorised request to its answer: check, queue, wait, record, answer. */
export class DigestSigning {
  readonly #with: SignDigestsDependencies;

  constructor(dependencies: SignDigestsDependencies) {
    this.#with = dependencies;
  }

  /**
   * Signs and records. It runs to its end also when the caller hangs up: what the HSM made is in the log.
   * @param arrivedAt on the clock of `performance.now()`
   * @throws SigillumError when no digest was signed, and when the log can't be written
   */
  async sign(
    client: string,
    key: ServedKey,
    request: SignDigestsRequest,
    arrivedAt: number,
  ): Promise<SignDigestsAnswer> {
    this.#assertFits(key, request);
    const token = this.#with.tokens.get(key.tokenSerial);
    if (!token) throw new SigillumError('signer_unavailable', 'The token of the key is out of use.', RETRY);
    if (this.#with.audit.failure) throw auditUnavailable(this.#with.audit.failure);
    const deadline = arrivedAt + request.timeout_ms;
    const entries = request.digests.map(({ digest, context }) => ({
      item: new WorkItem(key, new Uint8Array(Buffer.from(digest, 'base64')), deadline),
      subject: { client, requestId: request.request_id, context },
    }));
    const items = entries.map(({ item }) => item);
    token.admit(items);
    await waitForAll(items, deadline);
    token.abandon(items);
    const closed = entries.map((entry) => ({ ...entry, outcome: this.#close(entry) }));
    const now = new Date();
    await this.#record(closed.map(({ item, subject, outcome }) => createItemEvent(item, subject, outcome, now)));
    const outcomes = closed.map(({ outcome }) => outcome);
    for (const outcome of outcomes) this.#count(key, outcome);
    return createAnswer(outcomes);
  }

  #assertFits(key: ServedKey, request: SignDigestsRequest): void {
    const { minTimeoutMs, registry } = this.#with;
    if (request.timeout_ms < minTimeoutMs) {
      const fields = [{ pointer: '/timeout_ms', detail: `At least ${minTimeoutMs}.` }];
      throw new SigillumError('signer_deadline_too_short', `Leave at least ${minTimeoutMs} ms.`, { fields });
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
      throw new SigillumError(
        'signer_key_quarantined',
        `The key ${key.name} made a wrong signature and is out of use.`,
      );
    }
  }

  /** What the caller is told about a digest; what comes after that is recorded as discarded. */
  #close({ item, subject }: Entry): WorkOutcome {
    if (item.settled) return item.settled;
    item.outcome
      .then((late) => (late.kind === 'signed' ? this.#discard({ item, subject }) : undefined))
      .catch((error: unknown) => this.#with.logger.error('a discarded signature is not recorded', { error }));
    return timedOut(item);
  }

  async #discard({ item, subject }: Entry): Promise<void> {
    this.#with.metrics.discarded.inc({ purpose: item.key.purpose });
    await this.#with.audit.append(createDiscardedEvent(item, subject, new Date()));
  }

  /** Resolves when all lines are durable; until then nothing leaves. */
  async #record(events: readonly JsonObject[]): Promise<void> {
    const { audit, metrics } = this.#with;
    const written = Promise.all(events.map((event) => audit.append(event)));
    const timer = new AbortController();
    const expired = sleep(AUDIT_WAIT_MS, undefined, { signal: timer.signal }).then(() => {
      throw new Error('the audit log is too slow');
    });
    try {
      await Promise.race([written, expired]);
      metrics.auditSequence.set(audit.head.sequence);
    } catch (cause) {
      throw auditUnavailable(cause);
    } finally {
      timer.abort();
      // Whichever came second has nobody to tell.
      Promise.allSettled([written, expired]).catch(() => undefined);
    }
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

async function waitForAll(items: readonly WorkItem[], deadline: number): Promise<void> {
  const timer = new AbortController();
  const expired = sleep(Math.max(0, deadline - performance.now()), undefined, { signal: timer.signal });
  const done = Promise.all(items.map(({ outcome }) => outcome));
  await Promise.race([done, expired]);
  timer.abort();
  // The timer's abort rejects it; it has done its work.
  expired.catch(() => undefined);
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
