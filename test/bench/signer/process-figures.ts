import { readdirSync, readFileSync } from 'node:fs';

/** What must not grow while a daemon works. */
export type ProcessFigures = {
  readonly pid: number;
  readonly residentKb: number;
  readonly descriptors: number;
  readonly threads: number;
};

/** From /proc (proc(5)); undefined when the process has ended. */
export function readProcessFigures(pid: number): ProcessFigures | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    return { pid, residentKb: field('VmRSS'), descriptors, threads: field('Threads') };
  } catch {
    return undefined;
  }
}
