import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { SigillumError } from '@sigillum/errors';
import { type Program, readLogEnd, rotateLog, startProgram } from './program.ts';

export type ManagedServiceOptions = {
  readonly name: string;
  readonly program: Program;
  /** Where its `/readyz` answers, asked at each attempt. */
  readonly findInternalPort: () => number;
  /** Told when it ended by itself, and when it was started again. */
  readonly onChange: (event: string) => void;
};

/** The first wait before a service that ended is started again; it doubles up to the second. */
const firstBackOffMs = 200;
const maxBackOffMs = 5_000;

/** After this time a service counts as healthy, and the wait begins anew. */
const healthyAfterMs = 10_000;

/** A service loads some hundred modules and logs in to its token; on a busy machine that takes a while. */
const readyTimeoutMs = 90_000;

const pollMs = 100;

/** A readiness check that takes longer is none. */
const probeTimeoutMs = 6_000;

/** Longer than a service drains by itself. */
const stopTimeoutMs = 13_000;

/** EX_CONFIG: starting again changes nothing. */
const exitConfig = 78;

/** One service: started, watched, started again when it ends, and stopped. */
export class ManagedService {
  readonly name: string;
  readonly #options: ManagedServiceOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #startedAt = 0;
  #backOffMs = firstBackOffMs;
  #stopping = false;
  #respawn: NodeJS.Timeout | undefined;
  #lastExit: number | string | undefined;

  constructor(options: ManagedServiceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** The process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it; see {@link waitUntilReady}. */
  start(): void {
    this.#stopping = false;
    this.#lastExit = undefined;
    rotateLog(this.#options.program.logFile);
    this.#spawn();
  }

  /** @throws SigillumError `home_service_failed` with the end of its log. */
  async waitUntilReady(signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + readyTimeoutMs;
    while (!(await this.isReady())) {
      signal.throwIfAborted();
      const wrongConfig = this.#lastExit === exitConfig;
      if (wrongConfig || Date.now() > deadline) {
        throw new SigillumError(
          'home_service_failed',
          `${this.name} ${wrongConfig ? 'refuses its configuration' : 'did not become ready in time'}. The end of ` +
            `${this.#options.program.logFile}:\n${readLogEnd(this.#options.program.logFile)}`,
        );
      }
      await sleep(pollMs);
    }
  }

  /** Lets it drain and end; kills it when that takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#respawn);
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await this.#exited;
    clearTimeout(kill);
  }

  #spawn(): void {
    this.#startedAt = Date.now();
    const child = startProgram(this.#options.program);
    this.#child = child;
    // A lifeline is never written to; it breaks when the other side ends first.
    child.stdin?.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      const end = (code: number | null, name: string | null): void => {
        this.#child = undefined;
        this.#lastExit = code ?? name ?? undefined;
        resolve();
        if (!this.#stopping) this.#scheduleRespawn();
      };
      child.once('exit', end);
      child.once('error', (error) => end(null, error.message));
    });
    this.#options.onChange(`${this.name} runs as process ${child.pid}`);
  }

  #scheduleRespawn(): void {
    if (Date.now() - this.#startedAt > healthyAfterMs) this.#backOffMs = firstBackOffMs;
    const wait = this.#backOffMs;
    this.#backOffMs = Math.min(wait * 2, maxBackOffMs);
    this.#options.onChange(`${this.name} ended (${this.#lastExit}); starting it again in ${wait / 1000} s`);
    this.#respawn = setTimeout(() => this.#spawn(), wait);
  }

  /** Whether its `/readyz` says that it can do its work. */
  async isReady(): Promise<boolean> {
    if (this.#child === undefined) return false;
    try {
      const response = await fetch(`http://127.0.0.1:${this.#options.findInternalPort()}/readyz`, {
        signal: AbortSignal.timeout(probeTimeoutMs),
      });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }
}
