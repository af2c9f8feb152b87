import { SigillumError } from '@sigillum/errors';
import type { Logger } from '@sigillum/service-kit';
import { Backoff } from './backoff.ts';
import { describeFatal } from './describe-fatal.ts';
import type { LatchReason, PinLatch } from './pin-latch.ts';
import type { PinFileStamp, SignerFatal, SignerSetup } from './signer-messages.ts';
import type { SignerMetrics } from './signer-metrics.ts';
import { type SignerEvents, type SignerExit, SignerProcess } from './signer-process.ts';
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
  readonly onReady: (signer: SignerProcess) => void;
  readonly onSigned: SignerEvents['onSigned'];
  readonly onFailed: SignerEvents['onFailed'];
  /** What a process held when it ended without being asked. */
  readonly onLost: (items: readonly WorkItem[]) => void;
};

/** `down` is tried again with growing pauses, a rejected PIN never. */
export type StartVerdict = 'ready' | 'down' | 'pin-rejected';

type Slot = {
  readonly number: number;
  readonly backoff: Backoff;
  process: SignerProcess | undefined;
  readySince: number | undefined;
  /** The PIN file with which its process logs in. */
  attempt: PinFileStamp | undefined;
  pause: NodeJS.Timeout | undefined;
};

/** A process that lived this long was healthy: its death starts the pauses from the smallest again. */
const HEALTHY_MS = 10_000;

const keyReasons: ReadonlySet<SignerFatal['reason']> = new Set(['key-missing', 'key-mismatch', 'verification-refused']);

/**
 * Keeps the signer processes of one token alive. One starts at a time: each start is a login, and two at once with a
 * wrong PIN would burn two attempts.
 */
export class SignerSlots {
  readonly #options: SignerSlotsOptions;
  #setup: SignerSetup;
  readonly #slots: readonly Slot[];
  readonly #wantStart: Slot[] = [];
  #starting: Slot | undefined;
  #wasEverReady = false;
  #isLatched = false;
  #isStopping = false;
  readonly #firstVerdict = Promise.withResolvers<StartVerdict>();

  constructor(options: SignerSlotsOptions) {
    this.#options = options;
    this.#setup = options.setup;
    this.#slots = Array.from({ length: options.count }, (_, number) => ({
      number,
      backoff: new Backoff(),
      process: undefined,
      readySince: undefined,
      attempt: undefined,
      pause: undefined,
    }));
  }

  /** What starts from now on doesn't look for these keys: they may be destroyed. What runs is left alone. */
  forgetKeys(keyIds: ReadonlySet<string>): void {
    this.#setup = { ...this.#setup, keys: this.#setup.keys.filter(({ keyId }) => !keyIds.has(keyId)) };
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** The PIN was rejected: nothing starts any more. */
  get isLatched(): boolean {
    return this.#isLatched;
  }

  /** Those that are ready, whatever they do. */
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
    this.#wantStart.length = 0;
    await Promise.all(this.#slots.map(async ({ process }) => await process?.drain(graceMs)));
  }

  #startNext(): void {
    if (this.#starting || this.#isStopping || this.#isLatched) return;
    const slot = this.#wantStart.shift();
    if (!slot) return;
    const closed = this.#options.latch.findReason();
    if (closed) {
      this.#latch(closed);
      return;
    }
    this.#starting = slot;
    const { launch, startTimeoutMs, onSigned, onFailed } = this.#options;
    const events = {
      onAttempt: (stamp: PinFileStamp) => this.#noteAttempt(slot, stamp),
      onReady: ({ module }: { module: string }) => this.#acceptReady(slot, module),
      onSigned,
      onFailed,
      onExit: (exit: SignerExit) => this.#acceptExit(slot, exit),
    };
    slot.process = new SignerProcess({ launch, setup: this.#setup, startTimeoutMs }, events);
  }

  #acceptReady(slot: Slot, module: string): void {
    slot.readySince = performance.now();
    this.#wasEverReady = true;
    this.#starting = undefined;
    this.#noteAccepted(slot);
    this.#options.logger.info('signer process ready', { signer: slot.number, signer_pid: slot.process?.pid, module });
    this.#options.metrics.usableSigners.inc();
    this.#firstVerdict.resolve('ready');
    this.#startNext();
    if (slot.process) this.#options.onReady(slot.process);
  }

  #acceptExit(slot: Slot, exit: SignerExit): void {
    const pid = slot.process?.pid;
    const livedMs = slot.readySince === undefined ? 0 : performance.now() - slot.readySince;
    slot.process = undefined;
    slot.readySince = undefined;
    if (this.#starting === slot) this.#starting = undefined;
    if (exit.wasReady) this.#options.metrics.usableSigners.dec();
    // Keys are looked for after the login: whatever is wrong with them, the PIN was taken.
    if (isAboutKeys(exit.fatal)) this.#noteAccepted(slot);
    if (!this.#isStopping) this.#replace(slot, exit, livedMs, pid);
    this.#options.onLost(exit.items);
    this.#startNext();
  }

  /** After an end that nobody asked for. */
  #replace(slot: Slot, { fatal, reason }: SignerExit, livedMs: number, pid: number | undefined): void {
    const { logger, metrics, latch, setup } = this.#options;
    metrics.signerExits.inc({ reason });
    logger.warn('signer process ended', {
      signer: slot.number,
      signer_pid: pid,
      reason,
      return_code: fatal?.returnCode,
    });
    if (fatal?.reason === 'pin-rejected') {
      this.#rememberPin(latch, fatal);
      this.#latch('rejected');
    } else if (!this.#wasEverReady && isAboutKeys(fatal)) {
      this.#firstVerdict.reject(new SigillumError('config_invalid', describeFatal(fatal, setup.token.label)));
    } else {
      if (!this.#wasEverReady && fatal) logger.error(describeFatal(fatal, setup.token.label));
      if (livedMs >= HEALTHY_MS) slot.backoff.reset();
      this.#startLater(slot);
      this.#firstVerdict.resolve('down');
    }
  }

  #startLater(slot: Slot): void {
    slot.pause = setTimeout(() => {
      this.#wantStart.push(slot);
      this.#startNext();
    }, slot.backoff.next());
  }

  /** Unwritten, the latch holds for this process; it ends with 78, after which nobody starts it again by himself. */
  #rememberPin(latch: PinLatch, { pin }: SignerFatal): void {
    try {
      if (pin) latch.close(pin);
    } catch (error) {
      const message = 'a rejected PIN could not be remembered: do not start again before the PIN file is right';
      this.#options.logger.error(message, { error });
    }
  }

  /** Written before anything of the login is known: the HSM may have counted it. */
  #noteAttempt(slot: Slot, stamp: PinFileStamp): void {
    slot.attempt = stamp;
    try {
      this.#options.latch.noteAttempt(stamp);
    } catch (error) {
      this.#options.logger.error('an attempt with the PIN is not written: a restart would forget it', { error });
    }
  }

  #noteAccepted(slot: Slot): void {
    try {
      if (slot.attempt) this.#options.latch.noteAccepted(slot.attempt);
    } catch (error) {
      this.#options.logger.error('that the PIN was accepted is not written: a restart would forget it', { error });
    }
  }

  #latch(why: LatchReason): void {
    this.#isLatched = true;
    const { label } = this.#options.setup.token;
    const unanswered = `The token ${label} never said whether the PIN is right. It is not tried again: look at the HSM, then touch the PIN file.`;
    this.#options.logger.error(why === 'rejected' ? describeFatal({ reason: 'pin-rejected' }, label) : unanswered);
    this.#firstVerdict.resolve('pin-rejected');
    this.#options.onLatched();
  }
}

/** A manifest and a token that contradict each other are not a matter of waiting. */
function isAboutKeys(fatal: SignerFatal | undefined): fatal is SignerFatal {
  return fatal !== undefined && keyReasons.has(fatal.reason);
}
