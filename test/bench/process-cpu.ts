import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second for every program (USER_HZ), whatever its own clock is. */
const msPerTick = 10;

/** Fields of /proc/<pid>/stat after the name, which may hold spaces; proc(5) counts from 1, and `state` is its third. */
const fieldOf = { parent: 4, utime: 14, stime: 15, cutime: 16, cstime: 17 };

/**
 * Milliseconds of CPU (user and system) that a process and all below it have used, those included that have ended and
 * were waited for: a database closes connections in between.
 */
export function readTreeCpuMs(pid: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat !== undefined) parents.set(Number(name), readField(stat, 'parent'));
  }
  const isBelow = (child: number): boolean => {
    for (let at: number | undefined = child; at !== undefined; at = parents.get(at)) if (at === pid) return true;
    return false;
  };
  let ticks = 0;
  for (const child of parents.keys()) {
    const stat = isBelow(child) ? readStat(child) : undefined;
    if (stat === undefined) continue;
    for (const name of ['utime', 'stime', 'cutime', 'cstime'] as const) ticks += readField(stat, name);
  }
  return ticks * msPerTick;
}

function readStat(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // Ended while we were looking.
    return undefined;
  }
}

function readField(stat: readonly string[], name: keyof typeof fieldOf): number {
  return Number(stat[fieldOf[name] - 3]);
}
