import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** A JVM on a busy machine; measured starts are below two seconds. */
const startLimitMs = 60_000;

/** What a judge gets beyond its own limit before it is taken for hung and stopped. */
const defaultGraceMs = 5_000;

/** The end of what a judge said on stderr, for a message when it can't start. */
const maxErrorCharacters = 2_000;

export type LineCommand = {
  readonly program: string;
  readonly args: readonly string[];
  readonly searchPath: string;
  /** Default 5 s. */
  readonly graceMs?: number;
};

type Running = {
  readonly child: ChildProcess;
  readonly lines: Interface;
  waiting: ((line: string | undefined) => void) | undefined;
  errors: string;
};

/**
 * A judge that stays: one JSON line in, one JSON line out, one file at a time. It starts with the first question. A
 * judge that dies or hangs on a file is stopped, that file gets `undefined`, and the next question starts it anew.
 */
export class LineProcess {
  readonly #command: LineCommand;
  #running: Running | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(command: LineCommand) {
    this.#command = command;
  }

  /** The answer, or undefined when the judge died or hung on the question. Throws when it can't be started. */
  ask(question: object, limitMs: number): Promise<unknown> {
    const answer = this.#tail.then(() => this.#askNow(question, limitMs));
    this.#tail = answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    await this.#tail;
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined || running.child.exitCode !== null) return;
    const gone = new Promise((resolve) => running.child.once('close', resolve));
    running.child.stdin?.end();
    const timer = setTimeout(() => running.child.kill('SIGKILL'), defaultGraceMs);
    await gone;
    clearTimeout(timer);
  }

  async #askNow(question: object, limitMs: number): Promise<unknown> {
    this.#running ??= await this.#start();
    const running = this.#running;
    const answer = nextLine(running, limitMs + (this.#command.graceMs ?? defaultGraceMs));
    running.child.stdin?.write(`${JSON.stringify(question)}\n`);
    const line = await answer;
    if (line === undefined) {
      running.child.kill('SIGKILL');
      this.#running = undefined;
      return undefined;
    }
    return JSON.parse(line);
  }

  async #start(): Promise<Running> {
    const { program, args, searchPath } = this.#command;
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: searchPath, LC_ALL: 'C.UTF-8' },
    });
    const running: Running = { child, lines: createInterface({ input: child.stdout }), waiting: undefined, errors: '' };
    child.stderr.on('data', (chunk: Buffer) => {
      running.errors = (running.errors + chunk.toString('utf8')).slice(-maxErrorCharacters);
    });
    child.stdin.on('error', () => undefined); // EPIPE: 'close' tells the same
    const finish = (line: string | undefined) => {
      const waiting = running.waiting;
      running.waiting = undefined;
      waiting?.(line);
    };
    running.lines.on('line', finish);
    child.on('error', () => finish(undefined));
    child.on('close', () => finish(undefined));
    // The first line says that everything is loaded: what goes wrong before it is the installation, not a file.
    const ready = await nextLine(running, startLimitMs);
    if (ready === undefined) {
      child.kill('SIGKILL');
      throw new Error(`The judge ${program} ${args.join(' ')} does not start. ${running.errors}`);
    }
    return running;
  }
}

function nextLine(running: Running, limitMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      running.waiting = undefined;
      resolve(undefined);
    }, limitMs);
    running.waiting = (line) => {
      clearTimeout(timer);
      resolve(line);
    };
    if (running.child.exitCode !== null) running.waiting(undefined);
  });
}
