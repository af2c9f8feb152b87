import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';
import { findProcessIdentity, isRunning } from './process-identity.ts';

/** The right to run a home. */
export type ProcessLock = {
  /** Whether it was taken over from a process that ended without letting go. */
  readonly afterCrash: boolean;
  release(): void;
};

/** Two starters may take over at the same time; one of them wins the next round. */
const maxAttempts = 3;

/** Takes the lock file of a home. @throws SigillumError `home_running` with the pid of the holder. */
export function acquireProcessLock(path: string, home: string): ProcessLock {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, findProcessIdentity(process.pid) ?? '', { mode: 0o600 });
  let holder = '';
  let afterCrash = false;
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      // A link appears with its content, and only if the name is free.
      if (link(draft, path)) return { afterCrash, release: () => rmSync(path, { force: true }) };
      holder = read(path);
      if (isRunning(holder)) break;
      afterCrash = true;
      removeStale(path, holder, `${draft}.stale`);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  throw new SigillumError(
    'home_running',
    `The home ${home} is already running (pid ${holder.split(' ')[0]}). Stop that one first (Ctrl-C in its terminal, or ` +
      `kill ${holder.split(' ')[0]}), or use another home: npm start -- --home DIR --port N`,
  );
}

/**
 * Takes away the lock of a process that has ended. Two starters may have read it: only one of them can move it away, and
 * the other, which may have moved the new lock of the first, sees by its content that it must go back.
 */
function removeStale(path: string, holder: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch {
    // The other one was first.
    return;
  }
  if (read(aside) !== holder) link(aside, path);
  rmSync(aside, { force: true });
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
