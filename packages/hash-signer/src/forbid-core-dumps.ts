import { spawnSync } from 'node:child_process';

/**
 * This process, and all that it starts, dumps no core from now on: one would hold its TLS key. Node has no setrlimit,
 * so util-linux does it, where it is there; lowering one's own limit needs no privilege.
 */
export function forbidCoreDumps(): void {
  spawnSync('/usr/bin/prlimit', ['--pid', String(process.pid), '--core=0:0'], { stdio: 'ignore' });
}
