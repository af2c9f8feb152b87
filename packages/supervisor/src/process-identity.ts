import { readFileSync } from 'node:fs';

/**
 * Which process a pid is: pid, start time (proc_pid_stat(5), field 22) and boot, so that one whose number was given to
 * another isn't taken for it. `undefined` when there is none, or only a zombie.
 */
export function findProcessIdentity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    // The name in parentheses may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]} ${boot}`;
  } catch {
    return undefined;
  }
}

/** Whether the process that an identity names still runs. */
export function isRunning(identity: string): boolean {
  const pid = Number(identity.split(' ')[0]);
  return Number.isSafeInteger(pid) && pid > 0 && findProcessIdentity(pid) === identity;
}
