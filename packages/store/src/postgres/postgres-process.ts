import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SigillumError } from '@sigillum/errors';
import type { Launcher } from './launcher.ts';

/** Nothing of the caller's environment reaches PostgreSQL, where PGOPTIONS or a locale would change it. */
export const cleanEnvironment: NodeJS.ProcessEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** After a crash the log is replayed first; that takes a while on a slow disk. */
const startTimeoutMs = 120_000;

/** What a fast shutdown may take: a checkpoint. */
const stopTimeoutMs = 30_000;

/** What processes of a killed PostgreSQL may take to notice. */
const leftoverTimeoutMs = 30_000;

const pollMs = 20;

/** Lines of the log that are shown when it doesn't start. */
const shownLogLines = 15;

/** A PostgreSQL that takes connections. */
export type PostgresProcess = {
  readonly pid: number;
  /** Resolves when it has ended, for whatever reason. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
};

/** Starts the server and waits until it takes connections. */
export async function startPostgresProcess(options: {
  readonly postgres: string;
  readonly launcher: Launcher;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly logFile: string;
  readonly settings: Readonly<Record<string, string>>;
}): Promise<PostgresProcess> {
  const { dataDirectory, launcher, logFile } = options;
  await waitForLeftovers(dataDirectory);
  const settings = { unix_socket_directories: options.socketDirectory, ...options.settings };
  const [program, ...prefix] = launcher.prefix;
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(
    program,
    [
      ...prefix,
      options.postgres,
      '-D',
      dataDirectory,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    // A session of its own: Ctrl-C in the terminal must reach the services first.
    { cwd: '/', env: cleanEnvironment, stdio: ['ignore', log, log], detached: true },
  );
  closeSync(log);
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true;
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  const deadline = Date.now() + startTimeoutMs;
  while (!isReady(dataDirectory, child.pid)) {
    if (ended || Date.now() > deadline) {
      child.kill('SIGQUIT');
      throw new SigillumError(
        'database_start_failed',
        `PostgreSQL ${ended ? 'ended at once' : 'did not start in time'}. Its log (${logFile}) ends with:\n${readEnd(logFile)}`,
      );
    }
    await sleep(pollMs);
  }
  return { pid: child.pid ?? 0, exited, stop: () => stopProcess(child, exited) };
}

/** postmaster.pid: line 1 is the pid, line 8 the state (PostgreSQL's miscadmin.h). */
function isReady(dataDirectory: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

/**
 * Waits for processes of an earlier PostgreSQL in this folder, and removes the pid file of one that is gone:
 * PostgreSQL would take any process that has got that number for itself.
 */
async function waitForLeftovers(dataDirectory: string): Promise<void> {
  const real = realpathSync(dataDirectory);
  const deadline = Date.now() + leftoverTimeoutMs;
  for (let pids = findProcessesIn(real); pids.length > 0; pids = findProcessesIn(real)) {
    if (Date.now() > deadline) {
      throw new SigillumError('database_start_failed', `Another PostgreSQL uses ${real}: process ${pids.join(', ')}.`);
    }
    await sleep(pollMs * 5);
  }
  rmSync(join(real, 'postmaster.pid'), { force: true });
}

/** All processes of PostgreSQL work in their data folder. */
function findProcessesIn(directory: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readlinkSync(`/proc/${pid}/cwd`) === directory && readFileSync(`/proc/${pid}/comm`, 'utf8') === 'postgres\n'
        );
      } catch {
        return false;
      }
    });
}

async function stopProcess(child: ChildProcess, exited: Promise<void>): Promise<void> {
  // Fast, then immediate, then none (PostgreSQL manual, 18.5 "Shutting Down the Server").
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    child.kill(signal);
    const timer = new AbortController();
    const late = sleep(stopTimeoutMs, 'late', { signal: timer.signal }).catch(() => 'ended');
    const result = await Promise.race([exited, late]);
    timer.abort();
    if (result !== 'late') return;
  }
}

function readEnd(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-shownLogLines).join('\n');
}
