import { Worker } from 'node:worker_threads';

/** The thread's text: one of ours would load the modules that this process has loaded. It looks twice a second. */
const watch = `
const { workerData: parent } = require('node:worker_threads');
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 500);
`;

/**
 * Kills this process when its parent is gone, also while it computes and hears of nothing: nobody is left then to end work
 * that takes for ever.
 *
 * @param parent its process id
 */
export function endWithParent(parent: number): void {
  const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };
  new Worker(watch, { eval: true, workerData: parent, env: {}, execArgv: [], resourceLimits }).unref();
}
