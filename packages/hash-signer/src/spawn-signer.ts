import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';

export type SignerLaunch = {
  readonly lanes: number;
  /** What the module reads; never secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Another user than the daemon's. */
  readonly runAs?: { readonly user: string; readonly group: string };
};

export type SpawnedSigner = { readonly process: ChildProcess; readonly pipe: Duplex };

/** Threads for work besides the lanes, so that a hanging token does not also stop files and DNS of the process. */
const SPARE_THREADS = 4;

const setpriv = '/usr/bin/setpriv';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * util-linux around the signer process, where it is there: no core dumps (they would hold the PIN and session keys),
 * and SIGKILL when the daemon dies. Both replace themselves by the next program, so the pid stays. Without them the
 * end of the pipe ends the process, unless it hangs inside the module.
 */
function listWrappers({ runAs }: SignerLaunch): string[] {
  const wrappers: string[] = [];
  if (isExecutable('/usr/bin/prlimit')) wrappers.push('/usr/bin/prlimit', '--core=0:0');
  // With another user wanted it must be there: without it the spawn fails, and nothing runs as the wrong one.
  if (runAs || isExecutable(setpriv)) wrappers.push(setpriv, '--pdeathsig', 'KILL');
  if (runAs) {
    // No way back, and nothing of what let us change it. The bounding set would need CAP_SETPCAP to be emptied; without
    // new privileges by exec it bounds nothing.
    const account = ['--reuid', runAs.user, '--regid', runAs.group, '--clear-groups', '--no-new-privs'];
    wrappers.push(...account, '--inh-caps=-all', '--ambient-caps=-all');
  }
  return wrappers;
}

/** Else SIGUSR1 opens a debugger, by which every local user reads the memory of the process. */
const noDebugger = '--disable-sigusr1';

/** The script beside this file, as TypeScript or compiled. */
const script = fileURLToPath(
  new URL(`./signer/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** Starts a signer process with a pipe on descriptor 3, nothing secret in argv, and an environment of its own. */
export function spawnSigner(launch: SignerLaunch): SpawnedSigner {
  // The parent's options but for debuggers: a second one can't have the same port, and none belongs in there.
  const nodeOptions = process.execArgv.filter((option) => !option.startsWith('--inspect') && option !== noDebugger);
  const [command, ...args] = [...listWrappers(launch), process.execPath, noDebugger, ...nodeOptions, script];
  const child = spawn(command, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: {
      ...launch.environment,
      // A thread for each session that signs, and one for each that verifies.
      UV_THREADPOOL_SIZE: String(2 * launch.lanes + SPARE_THREADS),
    },
  });
  // A 'pipe' beyond the third descriptor is a socket pair: both directions.
  const pipe = child.stdio[3] as Duplex;
  return { process: child, pipe };
}
