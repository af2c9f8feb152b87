import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';

/** util-linux; elsewhere a worker in an endless loop outlives a parent that was killed. */
const setpriv = '/usr/bin/setpriv';

/**
 * Starts a script as a corpus worker, with a channel to this process. It is killed when this process dies, however
 * that happens and whatever it is doing: the end of the channel is an event, which an endless loop never sees.
 */
export function startCorpusWorker(script: string, args: readonly string[], nodeOptions: readonly string[]): ChildProcess {
  const options = [...process.execArgv, ...nodeOptions];
  const isBound = existsSync(setpriv);
  return fork(script, args, {
    ...(isBound ? { execPath: setpriv } : {}),
    // It replaces itself by the next program, so the pid and the channel's descriptor stay.
    execArgv: isBound ? ['--pdeathsig', 'KILL', '--', process.execPath, ...options] : options,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}
