import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second for every program (USER_HZ). */
const msPerTick = 10;

/** Milliseconds of CPU, user and system, that one process has used so far; its children are not in it. */
export function readOwnCpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // proc(5): fields 14 and 15, counted from 1; the name may hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}
