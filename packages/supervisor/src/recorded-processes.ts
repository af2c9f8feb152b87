import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileDurably } from '@sigillum/service-kit';
import type { HomePaths } from './home-paths.ts';
import { findProcessIdentity, isRunning } from './process-identity.ts';

/** Processes of a supervisor that was killed stop by themselves in this time: they drain, and PostgreSQL flushes. */
const leftoverTimeoutMs = 15_000;

const pollMs = 100;

/** Records which processes run, for the next start after a crash. */
export function recordProcesses(paths: HomePaths, pids: readonly number[]): void {
  const identities = pids.map(findProcessIdentity).filter((identity) => identity !== undefined);
  writeFileDurably(paths.processes, `${JSON.stringify(identities)}\n`);
}

/** Forgets them, after an orderly stop. */
export function forgetProcesses(paths: HomePaths): void {
  rmSync(paths.processes, { force: true });
}

/** Waits for what a killed run left; what doesn't end in time is killed. */
export async function endLeftovers(paths: HomePaths): Promise<void> {
  const deadline = Date.now() + leftoverTimeoutMs;
  let left = read(paths).filter(isRunning);
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(pollMs);
    left = left.filter(isRunning);
  }
  for (const identity of left) {
    try {
      process.kill(Number(identity.split(' ')[0]), 'SIGKILL');
    } catch {
      // It ended just now.
    }
  }
  forgetProcesses(paths);
}

function read(paths: HomePaths): readonly string[] {
  if (!existsSync(paths.processes)) return [];
  try {
    const value: unknown = JSON.parse(readFileSync(paths.processes, 'utf8'));
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  } catch {
    return [];
  }
}
