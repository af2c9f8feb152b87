import { SigillumError } from '@sigillum/errors';
import type { Logger } from '@sigillum/service-kit';
import { Backoff } from './backoff.ts';
import { describeFatal } from './describe-fatal.ts';
import type { PinLatch } from './pin-latch.ts';
import type { FailureClass, SignerFatal, SignerSetup } from './signer-messages.ts';
import type { SignerMetrics } from './signer-metrics.ts';
import { SignerProcess } from './signer-process.ts';
import type { SignerLaunch } from './spawn-signer.ts';
import type { WorkItem } from './work-item.ts';

export type SignerSlotsOptions = {
  readonly count: number;
  readonly launch: SignerLaunch;
  readonly setup: SignerSetup;
  readonly startTimeoutMs: number;
  readonly latch: PinLatch;
  readonly logger: Logger;
  readonly metrics: SignerMetrics;
  readonly onLatched: () => void;
  readonly onReady: () => void;
  readonly onSigned: (item: WorkItem, signature: Uint8Array, executionMs: number) => void;
  readonly onFailed: (
    item: WorkItem,
    failureClass: FailureClass,
    returnCode: number | undefined,
    executionMs: number,
  ) => void;
  /** What a process held when it ended. */
  readonly onLost: (items: readonly WorkItem[]) => void;
};

/** `down` is tried again with growing pauses, a rejected PIN never. */
export type StartVerdict = 'ready' | 'down' | 'pin-rejected';

type Slot = {
  readonly number: number;
  readonly backoff: Backoff;
  process: SignerProcess | undefined;
  readySince: number | undefined;
  pause: NodeJS.Timeout | undefined;
};

/** A process that lived this long was healthy: its death starts the pauses from the smallest again. */
const HEALTHY_MS = 10_000;

/**
 * Keeps the signer processes of one token alive. One starts at a time: each start is a login, and two at once with a
 * wrong PIN would burn two attempts.
 */
export class SignerSlots {
  readonly #options: SignerSlotsOptions;
  readonly #slots: readonly Slot[];
  readonly #wantStart: Slot[] = [];
  #starting: Slot | undefined;
  #wasEverReady = false;
  #isLatched = false;
  #isStopping = false;
  readonly #firstVerdict = Promise.withResolvers<StartVerdict>();

  constructor(options: SignerSlotsOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.count }, (_, number) => ({
      number,
      backoff: new Backoff(),
      process: undefined,
      readySince: undefined,
      pause: undefined,
    }));
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  usable(): SignerProcess[] {
    return this.#slots.flatMap(({ process }) => (process?.isUsable ? [process] : []));
  }

  /** Resolves with the first process's fate. @throws SigillumError `config_invalid` when a key is not its manifest's */
  start(): Promise<StartVerdict> {
    this.#wantStart.push(...this.#slots);
    this.#startNext();
    return this.#firstVerdict.promise;
  }

  /** Ends all processes after what they have in flight. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#firstVerdict.resolve('down');
    for (const slot of this.#slots) clearTimeout(slot.pause);
    await Promise.all(this.#slots.map(async ({ process }) => await process?.drain(graceMs)));
  }

  #startNext(): void {
    if (this.#starting || this.#isStopping || this.#isLatched) return;
    const slot = this.#wantStart.shift();
    if (!slot) return;
    if (this.#options.latch.isClosed()) {
      this.#latch();
      return;
    }
    this.#starting = slot;
    const { launch, setup, startTimeoutMs, onSigned, onFailed } = this.#options;
    const events = {
      onReady: ({ module }: { module: string }) => this.#acceptReady(slot, module),
      onSigned,
      onFailed,
      onExit: (exit: { fatal: SignerFatal | undefined; wasReady: boolean; items: WorkItem[] }) =>
        this.#acceptExit(slot, exit),
    };
    slot.process = new SignerProcess(launch, setup, events, startTimeoutMs);
  }

  #acceptReady(slot: Slot, module: string): void {
    slot.readySince = performance.now();
    this.#wasEverReady = true;
    this.#starting = undefined;
    this.#options.logger.info('signer process ready', { signer: slot.number, signer_pid: slot.process?.pid, module });
    this.#options.metrics.usableSigners.inc();
    this.#firstVerdict.resolve('ready');
    this.#startNext();
    this.#options.onReady();
  }

  #acceptExit(slot: Slot, exit: { fatal: SignerFatal | undefined; wasReady: boolean; items: WorkItem[] }): void {
    const { logger, metrics, latch, setup, onLost } = this.#options;
    const pid = slot.process?.pid;
    const livedMs = slot.readySince === undefined ? 0 : performance.now() - slot.readySince;
    slot.process = undefined;
    slot.readySince = undefined;
    if (this.#starting === slot) this.#starting = undefined;
    if (exit.wasReady) metrics.usableSigners.dec();
    if (!this.#isStopping) {
      const { reason = 'died', returnCode } = exit.fatal ?? {};
      metrics.signerExits.inc({ reason });
      logger.warn('signer process ended', { signer: slot.number, signer_pid: pid, reason, return_code: returnCode });
      if (exit.fatal?.reason === 'pin-rejected') {
        if (exit.fatal.pin) latch.close(exit.fatal.pin);
        this.#latch();
      } else if (!this.#wasEverReady && isAboutKeys(exit.fatal)) {
        this.#firstVerdict.reject(new SigillumError('config_invalid', describeFatal(exit.fatal, setup.token.label)));
      } else {
        if (!this.#wasEverReady && exit.fatal) logger.error(describeFatal(exit.fatal, setup.token.label));
        if (livedMs >= HEALTHY_MS) slot.backoff.reset();
        this.#startLater(slot);
        this.#firstVerdict.resolve('down');
      }
    }
    onLost(exit.items);
    this.#startNext();
  }

  #startLater(slot: Slot): void {
    slot.pause = setTimeout(() => {
      this.#wantStart.push(slot);
      this.#startNext();
    }, slot.backoff.next());
  }

  #latch(): void {
    this.#isLatched = true;
    this.#options.logger.error(describeFatal({ reason: 'pin-rejected' }, this.#options.setup.token.label));
    this.#firstVerdict.resolve('pin-rejected');
    this.#options.onLatched();
  }
}

/** A manifest and a token that contradict each other are not a matter of waiting. */
function isAboutKeys(fatal: SignerFatal | undefined): fatal is SignerFatal {
  return fatal?.reason === 'key-missing' || fatal?.reason === 'key-mismatch';
}
