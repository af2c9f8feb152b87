import { encodeFrame, encodeJsonFrame, type Frame, FrameReader, frameTypes } from './frame.ts';
import {
  encodeSign,
  type FailureClass,
  parseFailed,
  parseSigned,
  type SignerFatal,
  type SignerReady,
  type SignerSetup,
} from './signer-messages.ts';
import { type SignerLaunch, type SpawnedSigner, spawnSigner } from './spawn-signer.ts';
import type { WorkItem } from './work-item.ts';

export type SignerEvents = {
  onReady(ready: SignerReady): void;
  onSigned(item: WorkItem, signature: Uint8Array, executionMs: number): void;
  onFailed(item: WorkItem, failureClass: FailureClass, returnCode: number | undefined, executionMs: number): void;
  /** Exactly once, when the process is gone, with what it still held. `fatal` if it could say why. */
  onExit(exit: {
    readonly fatal: SignerFatal | undefined;
    readonly wasReady: boolean;
    readonly items: WorkItem[];
  }): void;
};

/** The daemon's side of one signer process, from its start to its end. */
export class SignerProcess {
  readonly #spawned: SpawnedSigner;
  readonly #events: SignerEvents;
  readonly #keyIndexes: ReadonlyMap<string, number>;
  readonly #inFlight = new Map<number, WorkItem>();
  readonly #reader = new FrameReader();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #isReady = false;
  #isDraining = false;
  #fatal: SignerFatal | undefined;

  constructor(launch: SignerLaunch, setup: SignerSetup, events: SignerEvents, startTimeoutMs: number) {
    this.#events = events;
    this.#keyIndexes = new Map(setup.keys.map(({ keyId }, index) => [keyId, index]));
    this.#spawned = spawnSigner(launch);
    const { process: child, pipe } = this.#spawned;
    const startTimer = setTimeout(() => this.kill(), startTimeoutMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    let isOver = false;
    const finish = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(startTimer);
      const wasReady = this.#isReady;
      this.#isReady = false;
      pipe.destroy();
      resolve();
      events.onExit({ fatal: this.#fatal, wasReady, items: [...this.#inFlight.values()] });
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
    return this.#isReady && !this.#isDraining && !this.#fatal;
  }

  get pid(): number | undefined {
    return this.#spawned.process.pid;
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  countInFlight(purpose: string): number {
    let count = 0;
    for (const item of this.#inFlight.values()) if (item.key.purpose === purpose) count += 1;
    return count;
  }

  /** Hands over one digest. */
  send(item: WorkItem): void {
    const keyIndex = this.#keyIndexes.get(item.key.keyId);
    if (keyIndex === undefined) throw new RangeError('the key is not of this token');
    while (this.#inFlight.has(this.#nextId)) this.#nextId = (this.#nextId + 1) >>> 0;
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    item.attempts += 1;
    this.#inFlight.set(id, item);
    this.#spawned.pipe.write(encodeSign(id, keyIndex, item.digest));
  }

  /** The only way to end a call that hangs inside a PKCS#11 module. */
  kill(): void {
    this.#spawned.process.kill('SIGKILL');
  }

  /** Lets it finish what it has, then waits for its end; kills it after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    const isAsked = this.#isReady && !this.#isDraining;
    this.#isDraining = true;
    if (isAsked) this.#spawned.pipe.write(encodeFrame(frameTypes.drain));
    else this.kill();
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #receive(bytes: Buffer, startTimer: NodeJS.Timeout): void {
    try {
      for (const frame of this.#reader.push(bytes)) this.#handle(frame, startTimer);
    } catch {
      // Not our protocol: whatever wrote into the pipe, this process can't be trusted with work.
      this.kill();
    }
  }

  #handle({ type, payload }: Frame, startTimer: NodeJS.Timeout): void {
    switch (type) {
      case frameTypes.ready:
        clearTimeout(startTimer);
        this.#isReady = true;
        return this.#events.onReady(JSON.parse(payload.toString('utf8')) as SignerReady);
      case frameTypes.fatal:
        this.#fatal = JSON.parse(payload.toString('utf8')) as SignerFatal;
        return undefined;
      case frameTypes.signed: {
        const { id, executionMicros, signature } = parseSigned(payload);
        const item = this.#take(id);
        return this.#events.onSigned(item, new Uint8Array(signature), executionMicros / 1000);
      }
      case frameTypes.failed: {
        const { id, executionMicros, failureClass, returnCode } = parseFailed(payload);
        return this.#events.onFailed(this.#take(id), failureClass, returnCode, executionMicros / 1000);
      }
      default:
        throw new RangeError('unknown frame');
    }
  }

  #take(id: number): WorkItem {
    const item = this.#inFlight.get(id);
    if (!item) throw new RangeError('an answer to nothing');
    this.#inFlight.delete(id);
    return item;
  }
}
