import type { ServerResponse } from 'node:http';

/** Whoever doesn't read its answer holds a connection and memory: both end. Call it before the answer is written. */
export function dropUnreadAnswer(response: ServerResponse, afterMs: number): void {
  response.once('prefinish', () => {
    if (response.writableFinished) return;
    const timer = setTimeout(() => response.destroy(), afterMs);
    response.once('close', () => clearTimeout(timer));
  });
}
