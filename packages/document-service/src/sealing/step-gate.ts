import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SealStep } from './seal-steps.ts';

/** Called before each step of each seal, with something that tells seals apart. */
export type StepGate = (step: SealStep, seal: string) => Promise<void>;

/** What every service runs with unless a test says otherwise. */
export const openStepGate: StepGate = async () => {};

/** A test that never comes back must not hold a seal for ever. */
const maxPauseMs = 60_000;

const pollMs = 20;

/**
 * A test facility, only with `development: true`: before a step that is asked for, the seal leaves the file
 * `paused-<step>-<seal>` in the folder and waits until somebody removes it, or kills the process. A step is asked for
 * by the configuration, or by a file `pause-<step>` in the folder, which a test may put there and take away at any time.
 */
export function createPausingStepGate(directory: string, step?: string): StepGate {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return async (current, seal) => {
    if (current !== step && !existsSync(join(directory, `pause-${current}`))) return;
    const marker = join(directory, `paused-${current}-${seal}`);
    writeFileSync(marker, '');
    const deadline = Date.now() + maxPauseMs;
    while (existsSync(marker) && Date.now() < deadline) await sleep(pollMs);
    rmSync(marker, { force: true });
  };
}
