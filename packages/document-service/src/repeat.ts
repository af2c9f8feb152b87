import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@sigillum/service-kit';

/** A task that comes again until it is stopped. */
export type RepeatedTask = { stop(): Promise<void> };

/** Runs a task again and again, `pauseMs` after it ended; a failure is logged and the next turn comes as usual. */
export function repeat(
  task: () => Promise<void>,
  options: { readonly name: string; readonly pauseMs: number; readonly logger: Logger },
): RepeatedTask {
  const abort = new AbortController();
  const run = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      await task().catch((error: unknown) => options.logger.warn(`${options.name} failed`, { error }));
      await sleep(options.pauseMs, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async stop() {
      abort.abort();
      await running;
    },
  };
}
