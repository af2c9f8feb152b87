import { CorpusWorker } from './corpus-worker.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The part of `process` that a worker talks through. */
type Channel = {
  on(event: 'message', listener: (message: ToWorker) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  send?(message: FromWorker): boolean;
  exit(code: number): never;
};

/** What a process started as a corpus worker does: answers each job, and ends with its parent. */
export function serveCorpusWorker(channel: Channel): void {
  let worker: CorpusWorker | undefined;
  channel.on('disconnect', () => channel.exit(0));
  channel.on('message', (message) => {
    if (message.type === 'start') worker = new CorpusWorker(message);
    // what it throws after all ends the process, which the parent notices
    else void worker?.seal(message).then((result) => channel.send?.({ type: 'result', result }));
  });
}
