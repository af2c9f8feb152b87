/** An operation that is watched. */
export type WatchedOperation = { startedAt: number; readonly limitMs: number };

/** Ticks of the longest and the shortest limit; between them a tenth of the limit. */
const LONGEST_TICK_MS = 100;
const SHORTEST_TICK_MS = 5;

/** Overdue from this share of the limit on, so that with a tick's delay the kill comes before the limit. */
const OVERDUE_SHARE = 0.8;

/**
 * Tells when an operation takes longer than its limit. Never because we ourselves did not run: a process that was
 * stopped, or waited for a processor, gives everything the time back that it missed.
 */
export class OperationWatchdog {
  readonly #operations = new Set<WatchedOperation>();
  readonly #tickMs: number;
  readonly #onOverdue: () => void;
  readonly #timer: NodeJS.Timeout;
  #lastTick = performance.now();

  /** @param shortestLimitMs the shortest limit that any operation will have */
  constructor(shortestLimitMs: number, onOverdue: () => void) {
    this.#tickMs = Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, shortestLimitMs / 10));
    this.#onOverdue = onOverdue;
    this.#timer = setInterval(() => this.check(performance.now()), this.#tickMs);
    this.#timer.unref();
  }

  begin(limitMs: number, now = performance.now()): WatchedOperation {
    const operation = { startedAt: now, limitMs };
    this.#operations.add(operation);
    return operation;
  }

  end(operation: WatchedOperation): void {
    this.#operations.delete(operation);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#operations.clear();
  }

  /** A tick. */
  check(now: number): void {
    const missedMs = now - this.#lastTick - this.#tickMs;
    this.#lastTick = now;
    let isOverdue = false;
    for (const operation of this.#operations) {
      if (missedMs > this.#tickMs) operation.startedAt = Math.min(now, operation.startedAt + missedMs);
      if (now - operation.startedAt > operation.limitMs * OVERDUE_SHARE) isOverdue = true;
    }
    if (isOverdue) this.#onOverdue();
  }
}
