import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One process as the kernel shows it. */
export type ProcessEntry = { readonly pid: number; readonly parent: number; readonly command: string };

/** Every living process. Zombies have no command line and are left out. */
export function listProcesses(): readonly ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
      if (command && parent) entries.push({ pid: Number(name), parent: Number(parent), command });
    } catch {
      // gone between the listing and the read
    }
  }
  return entries;
}

/** All processes below the given ones, the given ones included. */
export function findProcessTree(roots: readonly number[]): readonly ProcessEntry[] {
  const all = listProcesses();
  const wanted = new Set(roots);
  for (let before = -1; before !== wanted.size; ) {
    before = wanted.size;
    for (const entry of all) if (wanted.has(entry.parent)) wanted.add(entry.pid);
  }
  return all.filter((entry) => wanted.has(entry.pid));
}

/** Paths of the libraries and files that a process has mapped. */
export function readMappedFiles(pid: number): readonly string[] {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
  return [...new Set([...maps.matchAll(/\s(\/\S.*)$/gm)].map((match) => match[1] ?? ''))];
}

/** Targets of a process's open descriptors: paths, sockets, pipes. */
export function readOpenFiles(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(`${folder}/${fd}`)];
    } catch {
      return [];
    }
  });
}

/** Waits until none of the processes lives, or the time is over; returns those that are left. */
export async function waitForEnd(pids: readonly number[], milliseconds: number): Promise<readonly ProcessEntry[]> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const left = listProcesses().filter((entry) => pids.includes(entry.pid));
    if (left.length === 0 || Date.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
