import type { AuditLog, JsonObject } from '@sigillum/audit';
import type { Logger } from '@sigillum/service-kit';
import type { SignerMetrics } from './signer-metrics.ts';

/** A disk that takes longer than this for a line is as good as none; the caller gets an error, never a signature. */
const LONGEST_WAIT_MS = 5_000;

/** A digest that was ready at the last moment has this long for its line: half of what callers wait beyond a deadline. */
const LEAST_WAIT_MS = 250;

/** Lines that wait this long mean that the disk hangs: two watchdog periods of the shortest deadline. */
const STALLED_AFTER_MS = 2_000;

export type AuditRecorderDependencies = {
  readonly audit: Pick<AuditLog, 'appendAll' | 'failure'>;
  readonly logger: Logger;
  readonly metrics: Pick<SignerMetrics, 'auditFailed'>;
};

/**
 * Waits for audit lines, within a deadline. A disk that fails ends the daemon (`onFailure` of the log); one that only
 * hangs is said here: nothing new is taken until what waits is durable.
 */
export class AuditRecorder {
  readonly #with: AuditRecorderDependencies;
  /** Lines that nobody waits for any more and that are not durable. */
  #late = 0;
  #stallTimer: NodeJS.Timeout | undefined;
  #isStalled = false;

  constructor(dependencies: AuditRecorderDependencies) {
    this.#with = dependencies;
  }

  /** The log takes lines: neither failed nor hanging. */
  get isUsable(): boolean {
    return !this.#isStalled && this.#with.audit.failure === undefined;
  }

  /** For readiness: `ok` or what is wrong. */
  describe(): string {
    if (this.#with.audit.failure !== undefined) return 'failed';
    return this.#isStalled ? 'does not answer' : 'ok';
  }

  /**
   * Resolves when all lines are durable; until then nothing leaves.
   * @param deadline on the clock of `performance.now()`
   * @throws Error when they are not in time: they may still become durable; or when they never will
   */
  async record(events: readonly JsonObject[], deadline: number): Promise<void> {
    const startedAt = performance.now();
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(LEAST_WAIT_MS, deadline - startedAt));
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const durable = this.#with.audit.appendAll(events);
    // No AbortSignal: making its error, thrown away each time, costs as much as the line itself.
    const timer = setTimeout(() => {
      this.#followLate(durable, startedAt);
      reject(new Error('the audit log is too slow'));
    }, waitMs);
    try {
      await Promise.race([durable, expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  #followLate(durable: Promise<unknown>, startedAt: number): void {
    this.#late += 1;
    const leftMs = STALLED_AFTER_MS - (performance.now() - startedAt);
    if (leftMs <= 0) this.#stall();
    else this.#stallTimer ??= setTimeout(() => this.#stall(), leftMs);
    const settle = (): void => {
      this.#late -= 1;
      if (this.#late === 0) this.#recover();
    };
    durable.then(settle, settle);
  }

  #stall(): void {
    if (this.#isStalled) return;
    this.#isStalled = true;
    this.#with.metrics.auditFailed.set(1);
    this.#with.logger.error('the audit log does not answer; nothing is signed until it does');
  }

  #recover(): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = undefined;
    if (!this.#isStalled) return;
    this.#isStalled = false;
    // A log that has failed is said by itself, and for good.
    if (this.#with.audit.failure !== undefined) return;
    this.#with.metrics.auditFailed.set(0);
    this.#with.logger.warn('the audit log answers again');
  }
}
