import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import type { Purpose } from '@sigillum/signer-rpc';
import { Admission, type Entrant } from './admission.ts';
import { Canary } from './canary.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { ServedKey } from './served-keys.ts';
import { PurposeQueues } from './purpose-queues.ts';
import { refuseWrong } from './refuse-wrong.ts';
import type { FailureClass } from './signer-messages.ts';
import type { SignerProcess } from './signer-process.ts';
import { SignerSlots, type StartVerdict } from './signer-slots.ts';
import { createSlotsOptions, getWatchdogLimits, getWindow, type TokenSetup } from './token-setup.ts';
import { verifyRsaSignature } from './verify-rsa-signature.ts';
import type { WorkItem } from './work-item.ts';

/** A digest is handed to a second signer process at most: what kills two would kill all. */
const MAX_ATTEMPTS = 2;

/** An HSM without room is asked again after 25, 50, … 400 ms, within the deadline. */
const FIRST_BUSY_PAUSE_MS = 25;
const MAX_BUSY_ANSWERS = 5;

/** Failures in a row after which a process is replaced: sessions, login or module are in a state of their own. */
const MAX_PROCESS_FAILURES = 5;

/** One token: its queues, its signer processes, and who gets which digest. */
export class TokenSigners {
  readonly serial: string;
  readonly label: string;
  readonly #setup: TokenSetup;
  readonly #queues: PurposeQueues;
  readonly #breaker: CircuitBreaker;
  readonly #admission: Admission;
  readonly #canary: Canary;
  readonly #failuresInRow = new WeakMap<SignerProcess, number>();
  #slots: SignerSlots;
  #isDraining = false;

  constructor(setup: TokenSetup, keys: readonly ServedKey[]) {
    this.#setup = setup;
    this.serial = setup.token.serial;
    this.label = setup.token.label;
    this.#queues = new PurposeQueues(new Set(keys.map(({ purpose }) => purpose)), setup.limits.queue_per_purpose);
    this.#admission = new Admission({ maxQueueMs: setup.limits.max_queue_ms, maxBurstMs: setup.limits.max_burst_ms });
    const { failures, pause_ms } = setup.breaker;
    const { ec, rsa } = getWatchdogLimits(setup);
    this.#breaker = new CircuitBreaker({ failures, pauseMs: pause_ms, quietMs: Math.max(ec, rsa) });
    this.#slots = this.#createSlots(keys);
    this.#canary = new Canary({
      intervalMs: setup.canary.interval_ms,
      logger: setup.logger.child({ token: this.label }),
      metrics: setup.metrics,
      token: this.label,
      listSigners: () => this.#slots.usable(),
      isQuarantined: (keyId) => setup.registry.isQuarantined(keyId),
      onTick: () => this.#tryAgain(),
    });
    this.#canary.use(keys.find(({ purpose }) => purpose === 'canary'));
  }

  #createSlots(keys: readonly ServedKey[]): SignerSlots {
    return new SignerSlots({
      ...createSlotsOptions(this.#setup, keys),
      onReady: (signer) => {
        this.#canary.ask(signer);
        this.#dispatch();
      },
      onSigned: (signer, item, signature, executionMs) => this.#acceptSigned(signer, item, signature, executionMs),
      onFailed: (signer, item, failure, ms) => this.#acceptFailed(signer, item, failure.failureClass, ms),
      onLost: (items) => this.#takeBack(items),
    });
  }

  /**
   * Starts the first signer process and, once it has logged in, its siblings.
   * @throws SigillumError `config_invalid` when a key is not the one of its manifest
   */
  start(): Promise<StartVerdict> {
    return this.#slots.start();
  }

  /** Signatures can be made. */
  get isUsable(): boolean {
    return !this.#breaker.isOpen && this.#slots.usable().length > 0;
  }

  /** And the last canary shows it. */
  get isHealthy(): boolean {
    return this.isUsable && this.#canary.isHealthy;
  }

  /** The PIN was rejected: only a person can help. */
  get isLatched(): boolean {
    return this.#slots.isLatched;
  }

  queueLengths(): ReadonlyMap<Purpose, number> {
    return this.#queues.lengths();
  }

  /** Whether a key of this purpose is on the token. */
  serves(purpose: Purpose): boolean {
    return this.#queues.has(purpose);
  }

  /** Why a request of so many digests of this purpose would be refused now; `undefined` when there is room. */
  findRefusal(purpose: Purpose, entrant: Entrant): SigillumError | undefined {
    const signers = this.#slots.usable();
    if (this.#isDraining || this.#breaker.isOpen || signers.length === 0) {
      return this.#refuse('signer_unavailable', 'No signer process can sign now.');
    }
    const lanes = signers.length * this.#setup.lanes;
    const ahead = this.#countAhead(purpose, signers);
    const hasRoom = this.#admission.mayEnter(purpose, entrant, { ahead, lanes }, performance.now());
    return hasRoom ? undefined : this.#refuse('signer_overloaded', 'The queue is full.');
  }

  /** A request was turned away for want of room. */
  noteOverload(purpose: Purpose): void {
    this.#admission.refuse(purpose, performance.now());
  }

  /**
   * Admits digests of one key, all or none.
   * @throws `signer_unavailable`, `signer_overloaded`, at once and with a Retry-After
   */
  admit(items: readonly WorkItem[], isFirst: boolean): void {
    const purpose = items[0]?.key.purpose;
    const refusal = purpose && this.findRefusal(purpose, { digests: items.length, isFirst });
    if (purpose && refusal?.code === 'signer_overloaded') this.noteOverload(purpose);
    if (refusal) throw refusal;
    if (!this.#queues.add(items)) throw this.#refuse('signer_overloaded', 'The queue is full.');
    this.#dispatch();
  }

  #refuse(code: 'signer_overloaded' | 'signer_unavailable', message: string): SigillumError {
    const retryAfterSeconds = Math.max(1, Math.ceil(this.#breaker.remainingMs / 1000));
    return new SigillumError(code, message, { retryAfterSeconds });
  }

  /**
   * Digests of a purpose that wait for a lane, here or in a signer process. The process with the least work counts for
   * all: work goes to it next, and what one that hangs holds back is no queue.
   */
  #countAhead(purpose: Purpose, signers: readonly SignerProcess[]): number {
    const waiting = signers.map((signer) => Math.max(0, signer.countInFlight(purpose) - this.#setup.lanes));
    return this.#queues.lengthOf(purpose) + (signers.length === 0 ? 0 : Math.min(...waiting) * signers.length);
  }

  /** Nobody waits any more: what still queues is dropped, what is in flight ends by itself and is never killed. */
  abandon(items: readonly WorkItem[]): void {
    const open = items.filter((item) => !item.settled);
    if (open.length === 0) return;
    for (const item of open) item.isAbandoned = true;
    // No HSM will ever have seen them, so they don't stay in the count of their key's day.
    for (const item of this.#queues.remove(({ isAbandoned }) => isAbandoned)) item.fail('signer_timeout');
  }

  /** These keys are used no more, also not by what waits. The processes stay, so nothing has to work for it. */
  withdrawKeys(keyIds: ReadonlySet<string>, left: readonly ServedKey[]): void {
    this.#slots.forgetKeys(keyIds);
    for (const item of this.#queues.remove(({ key }) => keyIds.has(key.keyId))) item.fail('signer_key_unknown');
    this.#canary.keep(left.find(({ purpose }) => purpose === 'canary'));
  }

  /**
   * Takes other keys: new signer processes with them, and when those can sign, the old ones drain.
   * @returns whether it worked; if not, everything stays as it was
   */
  async replaceKeys(keys: readonly ServedKey[], onReplaced: () => void): Promise<boolean> {
    const next = this.#createSlots(keys);
    const verdict = await next.start().catch(() => 'down' as const);
    if (verdict !== 'ready' || this.#isDraining) {
      await next.stop(0);
      return false;
    }
    const old = this.#slots;
    this.#slots = next;
    this.#queues.addPurposes(new Set(keys.map(({ purpose }) => purpose)));
    this.#canary.use(keys.find(({ purpose }) => purpose === 'canary'));
    onReplaced();
    this.#dispatch();
    await old.stop(this.#setup.limits.drain_ms);
    return true;
  }

  /** Finishes what is in flight and stops the signer processes. */
  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true;
    this.#canary.stop();
    await this.#slots.stop(graceMs);
    for (const item of this.#queues.clear()) item.fail('signer_unavailable');
  }

  #dispatch(): void {
    if (this.#queues.isEmpty || this.#breaker.isOpen) return;
    const signers = this.#slots.usable();
    const isOnly = signers.length === 1;
    // Each round hands out one digest, to the one with the least work that takes it.
    do {
      if (!isOnly) signers.sort((left, right) => left.inFlightCount - right.inFlightCount);
    } while (signers.some((signer) => this.#feed(signer, isOnly)));
  }

  #feed(signer: SignerProcess, isOnly: boolean): boolean {
    // Each purpose has a window of its own on each signer, so none can fill the pipe for the others.
    const item = this.#queues.take(
      (purpose) => signer.countInFlight(purpose) < getWindow(this.#setup),
      (returned) => isOnly || returned.lastSigner !== signer,
    );
    if (!item) return false;
    if (item.isAbandoned || item.deadline <= performance.now()) item.fail('signer_timeout');
    else if (this.#setup.registry.isQuarantined(item.key.keyId)) item.fail('signer_key_quarantined');
    else if (!this.#setup.registry.serves(item.key) || !signer.knows(item.key.keyId)) item.fail('signer_key_unknown');
    else signer.send(item);
    return true;
  }

  #acceptSigned(signer: SignerProcess, item: WorkItem, signature: Uint8Array, executionMs: number): void {
    const { key, digest } = item;
    // ECDSA was verified in the signer process: node:crypto can't do it over a bare digest.
    const isRight =
      getSignatureAlgorithm(key.algorithm).scheme === 'ecdsa' ||
      verifyRsaSignature(key.publicKey, key.algorithm, digest, signature);
    if (isRight) {
      const ahead = this.#countAhead(key.purpose, this.#slots.usable());
      this.#admission.complete(key.purpose, executionMs, ahead, performance.now());
      this.#failuresInRow.delete(signer);
      if (this.#breaker.succeed()) this.#setup.logger.info('the token signs again', { token: this.label });
      item.sign(signature, executionMs);
    } else refuseWrong(item, executionMs, this.#setup);
    this.#dispatch();
  }

  #acceptFailed(signer: SignerProcess, item: WorkItem, failureClass: FailureClass, executionMs: number): void {
    this.#setup.metrics.failures.inc({ class: failureClass });
    // Says nothing about the token's health, but a trial it is not.
    if (['wrong', 'request', 'busy'].includes(failureClass) && this.#breaker.isOpen) this.#breaker.fail();
    if (failureClass === 'wrong') refuseWrong(item, executionMs, this.#setup);
    else if (failureClass === 'request') item.fail('signer_operation_failed', executionMs);
    else if (failureClass === 'busy') this.#queueAfterPause(item, executionMs);
    else {
      this.#countFailure();
      const inRow = (this.#failuresInRow.get(signer) ?? 0) + 1;
      this.#failuresInRow.set(signer, inRow);
      if (!this.#queueAgain(item)) item.fail('signer_operation_failed', executionMs);
      if (inRow >= MAX_PROCESS_FAILURES) signer.recycle();
    }
    this.#dispatch();
  }

  #countFailure(): void {
    if (!this.#breaker.fail()) return;
    const { logger, metrics } = this.#setup;
    metrics.breakerOpened.inc();
    logger.error('the token fails and gets no work until a trial signature succeeds', { token: this.label });
    for (const item of this.#queues.clear()) item.fail('signer_unavailable');
  }

  /** After the breaker's pause: a canary shows whether the token works, or, without one, the next digest does. */
  #tryAgain(): void {
    const [signer] = this.#slots.usable();
    if (!signer || !this.#breaker.mayTry()) return;
    if (!this.#canary.ask(signer)) this.#breaker.succeed();
  }

  /** Items of a signer process that died: once more on a sibling, within their own deadlines. */
  #takeBack(items: readonly WorkItem[]): void {
    if (items.length > 0 && !this.#isDraining) this.#countFailure();
    for (const item of items) if (!this.#queueAgain(item)) item.fail('signer_unavailable');
    this.#dispatch();
  }

  #queueAgain(item: WorkItem): boolean {
    const isOver = item.isCanary || item.isAbandoned || item.attempts >= MAX_ATTEMPTS;
    if (isOver || this.#isDraining || this.#breaker.isOpen) return false;
    this.#setup.metrics.requeued.inc();
    this.#queues.putBack(item);
    return true;
  }

  #queueAfterPause(item: WorkItem, executionMs: number): void {
    const pauseMs = FIRST_BUSY_PAUSE_MS * 2 ** item.busyAnswers++ * (0.5 + Math.random() / 2);
    const isOver = item.busyAnswers > MAX_BUSY_ANSWERS || performance.now() + pauseMs >= item.deadline;
    if (isOver || item.isCanary || item.isAbandoned || this.#isDraining) {
      item.fail('signer_overloaded', executionMs);
      return;
    }
    item.attempts -= 1;
    setTimeout(() => {
      // Any process may have it: it is the HSM that had no room.
      item.lastSigner = undefined;
      if (this.#isDraining || this.#breaker.isOpen) item.fail('signer_unavailable');
      else if (item.isAbandoned) item.fail('signer_timeout');
      else this.#queues.putBack(item);
      this.#dispatch();
    }, pauseMs);
  }
}
