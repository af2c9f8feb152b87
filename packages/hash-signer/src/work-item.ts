import type { ErrorCode } from '@sigillum/errors';
import type { ServedKey } from './served-keys.ts';

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

export type WorkOptions = {
  readonly key: ServedKey;
  readonly digest: Uint8Array;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** Told once. */
  readonly onSettled?: (item: WorkItem, outcome: WorkOutcome) => void;
  /** A canary goes to one signer process and to no other. */
  readonly isCanary?: boolean;
};

/** One digest on its way to a signature. */
export class WorkItem {
  readonly key: ServedKey;
  readonly digest: Uint8Array;
  readonly deadline: number;
  readonly isCanary: boolean;
  /** How often it was handed to a signer process: never more than twice, but for an HSM that was busy. */
  attempts = 0;
  /** How often the HSM said that it had no room. */
  busyAnswers = 0;
  /** Which signer process had it last, so that the second attempt is a sibling's. */
  lastSigner: object | undefined;
  /** Nobody waits for it any more. Still in flight, it can't be called back. */
  isAbandoned = false;
  readonly #onSettled: WorkOptions['onSettled'];
  readonly #admittedAt = performance.now();
  #settled: WorkOutcome | undefined;

  constructor({ key, digest, deadline, onSettled, isCanary }: WorkOptions) {
    this.key = key;
    this.digest = digest;
    this.deadline = deadline;
    this.isCanary = isCanary ?? false;
    this.#onSettled = onSettled;
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
    this.#onSettled?.(this, outcome);
  }
}
