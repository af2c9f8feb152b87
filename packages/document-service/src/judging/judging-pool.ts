import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SigillumError } from '@sigillum/errors';
import type { JudgedDocument, ValidationOptions } from '@sigillum/pades';
import type { DocumentSource } from '../sealing/spooled-document.ts';
import { type JudgingLimits, judgingLimits } from './judging-limits.ts';
import type { JudgingAnswer, JudgingJob } from './judging-messages.ts';

/** The worker's script beside this file, as TypeScript or compiled. */
const script = new URL(`./judging-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

type Waiting = {
  readonly job: JudgingJob;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
  settle(run: Promise<JudgedDocument>): void;
};

/** A worker that has nothing to do, and what ends it when that stays so. */
type Idle = { readonly worker: ChildProcess; leave(): void };

/**
 * Judges the signatures of documents in processes of their own, so that a file that takes seconds, or was made to take longer,
 * holds up nobody but those who also want one judged. They start when they are needed. One that takes too long, or more
 * memory than it has, is killed, and the document refused; what is asked again comes out the same.
 *
 * Not threads: one takes 40 MB of this process, and leaves 30 behind, as much as all documents under way may take together.
 */
export class JudgingPool {
  readonly #limits: JudgingLimits;
  readonly #script: URL;
  readonly #idle: Idle[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #busy = new Set<ChildProcess>();
  #isClosed = false;

  /** @param worker another script, for tests */
  constructor(limits: JudgingLimits = judgingLimits, worker: URL = script) {
    this.#limits = limits;
    this.#script = worker;
  }

  /** Documents that are being judged, and those that wait. */
  get load(): { readonly judging: number; readonly waiting: number } {
    return { judging: this.#busy.size, waiting: this.#waiting.length };
  }

  /**
   * As `examineSignatures` of `@sigillum/pades`, elsewhere. While it runs nobody may close the document; afterwards, however
   * it ends, nobody reads it any more.
   *
   * @throws SigillumError `service_overloaded` at once; `extension_too_costly`; what the signal was aborted with
   */
  judge(source: DocumentSource, options: ValidationOptions, signal?: AbortSignal): Promise<JudgedDocument> {
    signal?.throwIfAborted();
    const { fd, size } = source;
    const isInMemory = fd === undefined;
    const job: JudgingJob = {
      place: isInMemory
        ? { kind: 'memory', bytes: source.read(0, size) }
        : { kind: 'file', path: `/proc/${process.pid}/fd/${fd}`, size },
      options,
    };
    if (this.#isClosed || (this.#isFull() && this.#waiting.length >= this.#limits.waiting)) {
      throw new SigillumError('service_overloaded', 'Too many documents are being judged. Try again shortly.', {
        retryAfterSeconds: 1,
      });
    }
    if (!this.#isFull()) return this.#run(job, signal);
    return new Promise((resolve) => {
      const waiting: Waiting = {
        job,
        signal,
        onAbort: () => {
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          resolve(Promise.reject(signal?.reason));
        },
        settle: resolve,
      };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', waiting.onAbort, { once: true });
    });
  }

  /** Ends all processes; what still runs or waits is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const waiting of this.#waiting.splice(0)) {
      waiting.signal?.removeEventListener('abort', waiting.onAbort);
      waiting.settle(Promise.reject(new SigillumError('service_unavailable', 'The service is stopping.')));
    }
    const idle = this.#idle.splice(0).map((one) => {
      one.leave();
      return one.worker;
    });
    await Promise.all([...idle, ...this.#busy].map((worker) => kill(worker)));
  }

  #isFull(): boolean {
    return this.#busy.size >= this.#limits.workers;
  }

  async #run(job: JudgingJob, signal: AbortSignal | undefined): Promise<JudgedDocument> {
    let worker: ChildProcess | undefined;
    try {
      // throws at once where there is no memory for another process
      worker = this.#takeWorker();
      this.#busy.add(worker);
      const answer = await ask(worker, job, this.#limits.timeoutMs, signal);
      this.#keep(worker);
      return read(answer);
    } catch (error) {
      // only a process that is gone reads no more from the document, which is closed next
      if (worker !== undefined) await kill(worker);
      throw error instanceof SigillumError && this.#isClosed && error.code === 'internal_error'
        ? new SigillumError('service_unavailable', 'The service is stopping.')
        : error;
    } finally {
      if (worker !== undefined) this.#busy.delete(worker);
      this.#next();
    }
  }

  #next(): void {
    const waiting = this.#isFull() ? undefined : this.#waiting.shift();
    if (waiting === undefined) return;
    waiting.signal?.removeEventListener('abort', waiting.onAbort);
    waiting.settle(this.#run(waiting.job, waiting.signal));
  }

  #takeWorker(): ChildProcess {
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      idle.leave();
      return idle.worker;
    }
    // ours but for debuggers: a second one can't have the same port
    const own = process.execArgv.filter((option) => !option.startsWith('--inspect'));
    return fork(fileURLToPath(this.#script), [String(process.pid)], {
      execArgv: [...own, `--max-old-space-size=${this.#limits.heapMb}`],
      serialization: 'advanced',
      // what V8 says when it gives up is no line of our log
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
    });
  }

  #keep(worker: ChildProcess): void {
    if (this.#isClosed) return void kill(worker);
    const leave = (): void => {
      clearTimeout(timer);
      worker.off('error', end).off('exit', end);
    };
    // one that ends by itself isn't asked again
    const end = (): void => {
      const at = this.#idle.findIndex((idle) => idle.worker === worker);
      if (at >= 0) this.#idle.splice(at, 1);
      leave();
      worker.on('error', () => undefined);
      void kill(worker);
    };
    const timer = setTimeout(end, this.#limits.idleMs);
    timer.unref();
    worker.unref();
    worker.channel?.unref();
    worker.on('error', end).on('exit', end);
    this.#idle.push({ worker, leave });
  }
}

/** One question, one answer; rejects when the thread fails, takes too long, or nobody waits any more. */
function ask(
  worker: ChildProcess,
  job: JudgingJob,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<JudgingAnswer> {
  return new Promise<JudgingAnswer>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const refuse = (error: unknown): void => {
      stop();
      // what a process says while it is being ended concerns nobody
      worker.on('error', () => undefined);
      reject(error);
    };
    const onMessage = (answer: JudgingAnswer): void => {
      stop();
      resolve(answer);
    };
    const onError = (cause: Error): void => refuse(failed(cause));
    // V8 aborts the process when its heap is full
    const onExit = (code: number | null, by: NodeJS.Signals | null): void =>
      refuse(
        by === 'SIGABRT'
          ? tooCostly('more memory than there is for it')
          : failed(new Error(`the process ended with ${by ?? code}`)),
      );
    const onAbort = (): void => refuse(signal?.reason);
    const timer = setTimeout(() => refuse(tooCostly(`more than ${timeoutMs / 1000} seconds`)), timeoutMs);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal?.addEventListener('abort', onAbort, { once: true });
    worker.ref();
    worker.channel?.ref();
    worker.send(job, (error) => error && onError(error));
  });
}

/** Resolves when the process is gone. */
function kill(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null || worker.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.kill('SIGKILL');
  });
}

function failed(cause: unknown): SigillumError {
  return new SigillumError('internal_error', 'The signatures could not be judged.', { cause });
}

function read(answer: JudgingAnswer): JudgedDocument {
  if (answer.kind === 'judged') return answer.judged;
  if (answer.kind === 'refused') throw new SigillumError(answer.code, answer.message);
  throw failed(new Error(answer.stack));
}

function tooCostly(what: string): SigillumError {
  return new SigillumError(
    'extension_too_costly',
    `Judging the signatures of the document takes ${what}. It can't be extended here.`,
  );
}
