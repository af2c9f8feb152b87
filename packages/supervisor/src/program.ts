import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';

/** A program of ours and where its output goes. */
export type Program = {
  /** `main.ts` of a package. */
  readonly main: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** What Node.js and the C library are told beside it. */
  readonly runtime?: { readonly flags: readonly string[]; readonly environment: Readonly<Record<string, string>> };
};

/**
 * For a service whose memory is promised to stay small: a young generation of 2 MB instead of 16, a heap that is collected
 * when it has grown by a tenth, and two heaps of malloc instead of eight per processor. That costs no processor time that
 * can be measured; `--optimize-for-size` costs a fifth of each seal.
 */
export const flatMemory: NonNullable<Program['runtime']> = {
  flags: ['--max-semi-space-size=2', '--heap-growing-percent=10'],
  environment: { MALLOC_ARENA_MAX: '2' },
};

/** Nothing of the user's shell reaches the services: no proxy, no NODE_OPTIONS, no locale. */
const environment: NodeJS.ProcessEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  NODE_ENV: 'production',
};

/** A log that has grown to this is put aside at the next start, over the one put aside before. */
const maxLogBytes = 10 * 1024 * 1024;

/** Lines of a log that a failure shows. */
const shownLogLines = 15;

/** No line that matters is longer. */
const shownLineCharacters = 400;

/**
 * Starts a program of the checkout on this Node, from its sources. It has a session of its own, so that the terminal's
 * Ctrl-C doesn't reach it before its turn; `stdin` is its lifeline, and TERM comes when this process dies.
 */
export function startProgram(program: Program, stdout: 'log' | 'pipe' = 'log'): ChildProcess {
  const log = openSync(program.logFile, 'a', 0o600);
  try {
    return spawn(
      'setpriv',
      [
        '--pdeathsig',
        'TERM',
        '--',
        process.execPath,
        // Else SIGUSR1 opens a debugger to every local user.
        '--disable-sigusr1',
        '--conditions=source',
        '--no-warnings=ExperimentalWarning',
        ...(program.runtime?.flags ?? []),
        program.main,
        ...program.args,
      ],
      {
        cwd: '/',
        env: { ...environment, ...program.runtime?.environment },
        stdio: ['pipe', stdout === 'log' ? log : 'pipe', log],
        detached: true,
      },
    );
  } finally {
    closeSync(log);
  }
}

/** Puts a large log aside. */
export function rotateLog(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxLogBytes) renameSync(path, `${path}.1`);
}

/** The end of a log for people: messages instead of JSON where possible. */
export function readLogEnd(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-shownLogLines);
    return lines.map((line) => `    ${line.slice(0, shownLineCharacters)}`).join('\n');
  } catch {
    return '    (no log)';
  }
}
