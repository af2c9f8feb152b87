import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import type { Logger } from '@sigillum/service-kit';
import type { Purpose } from '@sigillum/signer-rpc';
import type { Limits, TokenConfig } from './config.ts';
import type { ServedKey } from './key-manifest.ts';
import type { KeyRegistry } from './key-registry.ts';
import type { PinLatch } from './pin-latch.ts';
import { PurposeQueues } from './purpose-queues.ts';
import type { FailureClass } from './signer-messages.ts';
import type { SignerMetrics } from './signer-metrics.ts';
import type { SignerProcess } from './signer-process.ts';
import { SignerSlots, type StartVerdict } from './signer-slots.ts';
import { verifyRsaSignature } from './verify-rsa-signature.ts';
import type { WorkItem } from './work-item.ts';

export type TokenSignersOptions = {
  readonly token: TokenConfig;
  readonly keys: readonly ServedKey[];
  readonly registry: KeyRegistry;
  readonly module: string;
  readonly softhsmConf: string | undefined;
  readonly limits: Limits;
  readonly latch: PinLatch;
  readonly logger: Logger;
  readonly metrics: SignerMetrics;
  /** The PIN was rejected after the token had worked, or while another token works. */
  readonly onLatched: () => void;
};

/** A digest is handed to a second signer process at most: what kills two would kill all. */
const MAX_ATTEMPTS = 2;

/** One token: its queues, its signer processes, and who gets which digest. */
export class TokenSigners {
  readonly serial: string;
  readonly label: string;
  readonly #options: TokenSignersOptions;
  readonly #queues: PurposeQueues;
  readonly #slots: SignerSlots;

  constructor(options: TokenSignersOptions) {
    this.#options = options;
    this.serial = options.token.serial;
    this.label = options.token.label;
    const purposes = new Set(options.keys.map(({ purpose }) => purpose));
    this.#queues = new PurposeQueues(purposes, options.limits.queue_per_purpose);
    this.#slots = new SignerSlots({
      count: options.token.signers,
      launch: { lanes: options.token.lanes, softhsmConf: options.softhsmConf },
      setup: {
        module: options.module,
        token: { label: this.label, serial: this.serial },
        pinFile: options.token.pin_file,
        lanes: options.token.lanes,
        maxInFlight: options.limits.in_flight_per_purpose * Math.max(1, purposes.size),
        keys: options.keys.map(({ keyId, algorithm, spki }) => ({
          keyId,
          algorithm,
          spki: Buffer.from(spki).toString('base64'),
        })),
      },
      startTimeoutMs: options.limits.start_timeout_ms,
      latch: options.latch,
      logger: options.logger.child({ token: this.label }),
      metrics: options.metrics,
      onLatched: options.onLatched,
      onReady: () => this.#dispatch(),
      onSigned: (item, signature, executionMs) => this.#acceptSigned(item, signature, executionMs),
      onFailed: (item, failureClass, _returnCode, executionMs) => this.#acceptFailed(item, failureClass, executionMs),
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

  get isUsable(): boolean {
    return this.#slots.usable().length > 0;
  }

  queueLengths(): ReadonlyMap<Purpose, number> {
    return this.#queues.lengths();
  }

  /**
   * Admits digests of one key, all or none.
   * @throws `signer_unavailable`, `signer_overloaded`, at once and with a Retry-After
   */
  admit(items: readonly WorkItem[]): void {
    const retry = { retryAfterSeconds: 1 };
    if (!this.isUsable) throw new SigillumError('signer_unavailable', 'No signer process can sign now.', retry);
    if (!this.#queues.add(items)) throw new SigillumError('signer_overloaded', 'The queue is full.', retry);
    this.#dispatch();
  }

  /** Nobody waits any more: what still queues is dropped, what is in flight ends by itself and is never killed. */
  abandon(items: readonly WorkItem[]): void {
    const open = items.filter((item) => !item.settled);
    for (const item of open) item.isAbandoned = true;
    const queued = new Set(open);
    this.#queues.remove(queued);
  }

  /** Finishes what is in flight and stops the signer processes. */
  async drain(graceMs: number): Promise<void> {
    await this.#slots.stop(graceMs);
    for (const item of this.#queues.clear()) item.fail('signer_unavailable');
  }

  #dispatch(): void {
    while (this.#dispatchOne()) {
      // each round hands out one digest
    }
  }

  #dispatchOne(): boolean {
    const signers = this.#slots.usable().sort((left, right) => left.inFlightCount - right.inFlightCount);
    return signers.some((signer) => this.#feed(signer));
  }

  #feed(signer: SignerProcess): boolean {
    const window = this.#options.limits.in_flight_per_purpose;
    // Each purpose has a window of its own on each signer, so none can fill the pipe for the others.
    const item = this.#queues.take((purpose) => signer.countInFlight(purpose) < window);
    if (!item) return false;
    if (item.isAbandoned || item.deadline <= performance.now()) item.fail('signer_timeout');
    else if (this.#options.registry.isQuarantined(item.key.keyId)) item.fail('signer_key_quarantined');
    else signer.send(item);
    return true;
  }

  #acceptSigned(item: WorkItem, signature: Uint8Array, executionMs: number): void {
    const { key, digest } = item;
    // ECDSA was verified in the signer process: node:crypto can't do it over a bare digest.
    const isRight =
      getSignatureAlgorithm(key.algorithm).scheme === 'ecdsa' ||
      verifyRsaSignature(key.publicKey, key.algorithm, digest, signature);
    if (isRight) item.sign(signature, executionMs);
    else this.#quarantine(item, executionMs);
    this.#dispatch();
  }

  #acceptFailed(item: WorkItem, failureClass: FailureClass, executionMs: number): void {
    if (failureClass === 'wrong') this.#quarantine(item, executionMs);
    else if (failureClass === 'request') item.fail('signer_operation_failed', executionMs);
    else if (!this.#queueAgain(item)) {
      item.fail(failureClass === 'busy' ? 'signer_overloaded' : 'signer_operation_failed', executionMs);
    }
    this.#dispatch();
  }

  #quarantine(item: WorkItem, executionMs: number): void {
    const { registry, metrics, logger } = this.#options;
    registry.quarantine(item.key.keyId);
    metrics.quarantinedKeys.set(registry.quarantinedCount);
    // Never tried again silently: a fault or an attack, and both need a person.
    logger.error('wrong signature from the HSM, key quarantined', { key_id: item.key.keyId, token: this.label });
    item.fail('signer_signature_wrong', executionMs);
  }

  /** Items of a signer process that died: once more on a sibling, within their own deadlines. */
  #takeBack(items: readonly WorkItem[]): void {
    for (const item of items.toReversed()) if (!this.#queueAgain(item)) item.fail('signer_unavailable');
    this.#dispatch();
  }

  #queueAgain(item: WorkItem): boolean {
    if (item.isAbandoned || item.attempts >= MAX_ATTEMPTS || this.#slots.isStopping) return false;
    this.#options.metrics.requeued.inc();
    this.#queues.putBack(item);
    return true;
  }
}
