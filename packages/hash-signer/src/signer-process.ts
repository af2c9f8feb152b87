import { encodeFrame, encodeJsonFrame, type Frame, FrameReader, frameTypes } from './frame.ts';
import { FrameOutbox } from './frame-outbox.ts';
import { OperationWatchdog, type WatchedOperation } from './operation-watchdog.ts';
import { parseAttempt, parseFatal, parseReady } from './parse-signer-report.ts';
import {
  encodeSign,
  type FailureClass,
  getWatchdogLimit,
  type PinFileStamp,
  parseFailed,
  parseSigned,
  type SignerFatal,
  type SignerReady,
  type SignerSetup,
} from './signer-messages.ts';
import { type SignerLaunch, type SpawnedSigner, spawnSigner } from './spawn-signer.ts';
import type { WorkItem } from './work-item.ts';

/** How a signer process ended. `reason` is `died` when it could not say, `watchdog` when we killed a silent one. */
export type SignerExit = {
  readonly fatal: SignerFatal | undefined;
  readonly reason: SignerFatal['reason'] | 'died' | 'watchdog' | 'recycled' | 'protocol';
  readonly wasReady: boolean;
  readonly items: WorkItem[];
};

export type SignerEvents = {
  /** It is about to log in with the PIN file of that stamp. */
  onAttempt(stamp: PinFileStamp): void;
  onReady(ready: SignerReady): void;
  onSigned(signer: SignerProcess, item: WorkItem, signature: Uint8Array, executionMs: number): void;
  onFailed(
    signer: SignerProcess,
    item: WorkItem,
    failure: { readonly failureClass: FailureClass; readonly returnCode: number | undefined },
    executionMs: number,
  ): void;
  /** Exactly once, when the process is gone, with what it still held. */
  onExit(exit: SignerExit): void;
};

export type SignerProcessOptions = {
  readonly launch: SignerLaunch;
  readonly setup: SignerSetup;
  readonly startTimeoutMs: number;
  /** For tests. */
  readonly spawn?: (launch: SignerLaunch) => SpawnedSigner;
};

/** The daemon's side of one signer process, from its start to its end. */
export class SignerProcess {
  readonly #spawned: SpawnedSigner;
  readonly #events: SignerEvents;
  readonly #options: SignerProcessOptions;
  readonly #keyIndexes: ReadonlyMap<string, number>;
  readonly #inFlight = new Map<number, WorkItem>();
  readonly #inFlightByPurpose = new Map<string, number>();
  readonly #reader = new FrameReader();
  readonly #outbox: FrameOutbox;
  readonly #watchdog: OperationWatchdog;
  readonly #exited: Promise<void>;
  /** The silence of a process that has work: each frame from it ends one and begins another. */
  #silence: WatchedOperation | undefined;
  #nextId = 1;
  #isReady = false;
  #isDraining = false;
  #isOver = false;
  #fatal: SignerFatal | undefined;
  #killedBecause: 'watchdog' | 'recycled' | 'protocol' | undefined;

  constructor(options: SignerProcessOptions, events: SignerEvents) {
    const { setup } = options;
    this.#options = options;
    this.#events = events;
    this.#keyIndexes = new Map(setup.keys.map(({ keyId }, index) => [keyId, index]));
    this.#watchdog = new OperationWatchdog(Math.min(setup.watchdogMs.ec, setup.watchdogMs.rsa), () =>
      this.#killBecause('watchdog'),
    );
    this.#spawned = (options.spawn ?? spawnSigner)(options.launch);
    const { process: child, pipe } = this.#spawned;
    this.#outbox = new FrameOutbox((bytes) => {
      if (!this.#isOver) pipe.write(bytes);
    });
    const startTimer = setTimeout(() => this.kill(), options.startTimeoutMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    const finish = (): void => {
      if (this.#isOver) return;
      this.#isOver = true;
      clearTimeout(startTimer);
      this.#watchdog.stop();
      const wasReady = this.#isReady;
      this.#isReady = false;
      pipe.destroy();
      resolve();
      const reason = this.#fatal?.reason ?? this.#killedBecause ?? 'died';
      events.onExit({ fatal: this.#fatal, reason, wasReady, items: [...this.#inFlight.values()] });
    };
    // 'close' comes after the pipe's last bytes, 'error' when there never was a process.
    child.once('close', finish);
    child.once('error', finish);
    pipe.on('data', (bytes: Buffer) => this.#receive(bytes, startTimer));
    // A broken pipe is followed by the process's end, which is what counts.
    pipe.on('error', () => this.kill());
    pipe.write(encodeJsonFrame(frameTypes.configure, setup));
  }

  get isUsable(): boolean {
    return this.#isReady && !this.#isDraining && !this.#fatal && this.#killedBecause === undefined;
  }

  get pid(): number | undefined {
    return this.#spawned.process.pid;
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  countInFlight(purpose: string): number {
    return this.#inFlightByPurpose.get(purpose) ?? 0;
  }

  /** Whether its set-up named that key. */
  knows(keyId: string): boolean {
    return this.#keyIndexes.has(keyId);
  }

  /** Hands over one digest. */
  send(item: WorkItem): void {
    const keyIndex = this.#keyIndexes.get(item.key.keyId);
    if (keyIndex === undefined) throw new RangeError('the key is not of this token');
    while (this.#inFlight.has(this.#nextId)) this.#nextId = (this.#nextId + 1) >>> 0;
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    item.attempts += 1;
    item.lastSigner = this;
    this.#inFlight.set(id, item);
    this.#inFlightByPurpose.set(item.key.purpose, this.countInFlight(item.key.purpose) + 1);
    this.#silence ??= this.#watchdog.begin(this.#limitOf(item));
    this.#outbox.add(encodeSign(id, keyIndex, item.digest));
  }

  /** The only way to end a call that hangs inside a PKCS#11 module. */
  kill(): void {
    this.#spawned.process.kill('SIGKILL');
  }

  /** Kills a process that answers, but with nothing but failures: a fresh one may do better. */
  recycle(): void {
    this.#killBecause('recycled');
  }

  #killBecause(reason: 'watchdog' | 'recycled' | 'protocol'): void {
    this.#killedBecause ??= reason;
    this.kill();
  }

  /** Lets it finish what it has, then waits for its end; kills it after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    const isAsked = this.#isReady && !this.#isDraining;
    this.#isDraining = true;
    if (isAsked) {
      this.#outbox.add(encodeFrame(frameTypes.drain));
      this.#outbox.flush();
    } else this.kill();
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #receive(bytes: Buffer, startTimer: NodeJS.Timeout): void {
    // Killed, or gone: its work is somebody else's now.
    if (this.#isOver || this.#killedBecause !== undefined) return;
    this.#endSilence();
    try {
      for (const frame of this.#reader.push(bytes)) this.#handle(frame, startTimer);
    } catch {
      // Not our protocol: whatever wrote into the pipe, this process can't be trusted with work.
      this.#killBecause('protocol');
    }
    const [item] = this.#inFlight.values();
    if (item) this.#silence ??= this.#watchdog.begin(this.#limitOf(item));
  }

  #endSilence(): void {
    if (this.#silence) this.#watchdog.end(this.#silence);
    this.#silence = undefined;
  }

  /** Silence is judged by the slowest kind of key on the token while any work of it may be in there. */
  #limitOf(item: WorkItem): number {
    const { watchdogMs } = this.#options.setup;
    const own = getWatchdogLimit(watchdogMs, item.key.algorithm);
    return this.#inFlight.size > 1 ? Math.max(watchdogMs.ec, watchdogMs.rsa) : own;
  }

  #handle({ type, payload }: Frame, startTimer: NodeJS.Timeout): void {
    switch (type) {
      case frameTypes.attempt:
        if (this.#isReady) throw new RangeError('a login after the start');
        return this.#events.onAttempt(parseAttempt(payload));
      case frameTypes.ready:
        if (this.#isReady) throw new RangeError('ready twice');
        clearTimeout(startTimer);
        this.#isReady = true;
        return this.#events.onReady(parseReady(payload));
      case frameTypes.fatal:
        this.#fatal = parseFatal(payload);
        return undefined;
      case frameTypes.signed: {
        const { id, executionMicros, signature } = parseSigned(payload);
        const item = this.#take(id);
        return this.#events.onSigned(this, item, new Uint8Array(signature), executionMicros / 1000);
      }
      case frameTypes.failed: {
        const { id, executionMicros, failureClass, returnCode } = parseFailed(payload);
        return this.#events.onFailed(this, this.#take(id), { failureClass, returnCode }, executionMicros / 1000);
      }
      default:
        throw new RangeError('unknown frame');
    }
  }

  #take(id: number): WorkItem {
    const item = this.#inFlight.get(id);
    if (!item) throw new RangeError('an answer to nothing');
    this.#inFlight.delete(id);
    const { purpose } = item.key;
    this.#inFlightByPurpose.set(purpose, this.countInFlight(purpose) - 1);
    return item;
  }
}
