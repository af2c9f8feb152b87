import type { ErrorCode } from '@sigillum/errors';
import type { ServedKey } from './key-manifest.ts';

/** How one digest ended. A signature in here was verified with the pinned key. */
export type WorkOutcome = {
  /** From admission until a signer process had it, and in that process until a lane had it. */
  readonly queueMs: number;
  /** Inside the HSM, with our verification by it. */
  readonly executionMs: number;
} & (
  | { readonly kind: 'signed'; readonly signature: Uint8Array }
  | { readonly kind: 'failed'; readonly code: ErrorCode }
);

/** One digest on its way to a signature. */
export class WorkItem {
  readonly key: ServedKey;
  readonly digest: Uint8Array;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  readonly outcome: Promise<WorkOutcome>;
  /** How often it was handed to a signer process: never more than twice. */
  attempts = 0;
  /** Nobody waits for it any more. Still in flight, it can't be called back. */
  isAbandoned = false;
  readonly #admittedAt = performance.now();
  #resolve: (outcome: WorkOutcome) => void;
  #settled: WorkOutcome | undefined;

  constructor(key: ServedKey, digest: Uint8Array, deadline: number) {
    this.key = key;
    this.digest = digest;
    this.deadline = deadline;
    const { promise, resolve } = Promise.withResolvers<WorkOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
  }

  get settled(): WorkOutcome | undefined {
    return this.#settled;
  }

  sign(signature: Uint8Array, executionMs: number): void {
    this.#settle({ kind: 'signed', signature, executionMs, queueMs: this.#queueMs(executionMs) });
  }

  fail(code: ErrorCode, executionMs = 0): void {
    this.#settle({ kind: 'failed', code, executionMs, queueMs: this.#queueMs(executionMs) });
  }

  /** Since admission. */
  waitedMs(): number {
    return performance.now() - this.#admittedAt;
  }

  #queueMs(executionMs: number): number {
    return Math.max(0, this.waitedMs() - executionMs);
  }

  #settle(outcome: WorkOutcome): void {
    if (this.#settled) return;
    this.#settled = outcome;
    this.#resolve(outcome);
  }
}
