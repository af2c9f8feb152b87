import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { noSeal, type WorkerResult } from './corpus-result.ts';
import type { FromWorker, SealJob, WorkerStart } from './worker-messages.ts';

/** Starts a process that works as a corpus worker, with further options of Node. */
export type StartWorker = (nodeOptions: readonly string[]) => ChildProcess;

export type WorkerLimits = {
  /** For a file of no size; a file of 100 MB takes some seconds on a slow disk. */
  readonly timeoutMs: number;
  readonly timeoutMsPerMegabyte: number;
  /** Of memory that is really used. */
  readonly residentBytes: number;
  /** Of JavaScript's heap: beyond it Node ends the process by itself. */
  readonly heapMegabytes: number;
};

export const defaultLimits: WorkerLimits = {
  timeoutMs: 60_000,
  timeoutMsPerMegabyte: 50,
  residentBytes: 1024 ** 3,
  heapMegabytes: 512,
};

/** How often memory is looked at. */
const watchIntervalMs = 250;

/** Of what a dying process says. */
const keptOutput = 4096;

/** One process at a time that is ended and replaced when it hangs, takes too much memory or dies. */
export class SupervisedWorker {
  readonly #startWorker: StartWorker;
  readonly #start: WorkerStart;
  readonly #limits: WorkerLimits;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(startWorker: StartWorker, start: WorkerStart, limits: WorkerLimits) {
    this.#startWorker = startWorker;
    this.#start = start;
    this.#limits = limits;
  }

  /** Always answers, and never later than the limit. A process that died isn't there any more for the next job. */
  async seal(job: SealJob): Promise<WorkerResult> {
    const child = (this.#child ??= this.#open());
    const { promise, resolve } = Promise.withResolvers<WorkerResult>();
    const fail = (code: string, detail: string): void => {
      this.#end(child);
      resolve({ ...noSeal, size: job.size, outcome: 'failed', code, detail, cpu_ms: null, retry_after_ms: null });
    };
    const { timeoutMs, timeoutMsPerMegabyte, residentBytes } = this.#limits;
    const limitMs = timeoutMs + (job.size / 1e6) * timeoutMsPerMegabyte;
    const onMessage = ({ result }: FromWorker): void => resolve(result);
    const onExit = (code: number | null, signal: string | null): void => {
      const isMemory = /heap out of memory|allocation failed/i.test(this.#output);
      fail(isMemory ? 'corpus_memory_exceeded' : 'corpus_crashed', this.#describeEnd(code, signal));
    };
    const onError = (error: Error): void => fail('corpus_crashed', error.message);
    const timer = setTimeout(() => fail('corpus_timeout', `No answer within ${Math.round(limitMs)} ms.`), limitMs);
    const checkMemory = async (): Promise<void> => {
      const bytes = await readResidentBytes(child.pid);
      if (bytes > residentBytes) fail('corpus_memory_exceeded', `The process had grown to ${bytes} bytes.`);
    };
    const watch = setInterval(() => void checkMemory(), watchIntervalMs);
    child.once('message', onMessage).once('exit', onExit).once('error', onError);
    child.send(job, (error) => {
      if (error !== null) fail('corpus_crashed', error.message);
    });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
    }
  }

  close(): void {
    if (this.#child !== undefined) this.#end(this.#child);
  }

  #open(): ChildProcess {
    const child = this.#startWorker([`--max-old-space-size=${this.#limits.heapMegabytes}`]);
    this.#output = '';
    child.stderr?.on('data', (data: Buffer) => {
      this.#output = (this.#output + data.toString('utf8')).slice(-keptOutput);
    });
    // whoever waits for an answer has listeners of their own
    child.on('error', () => undefined);
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    child.send(this.#start);
    return child;
  }

  #end(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined;
    child.kill('SIGKILL');
  }

  #describeEnd(code: number | null, signal: string | null): string {
    const last = this.#output.trim().split('\n').findLast((line) => /error/i.test(line)) ?? '';
    return `The process ended with ${signal ?? `exit code ${code}`}. ${last}`.trim();
  }
}

/** 0 where it can't be told. */
async function readResidentBytes(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}
