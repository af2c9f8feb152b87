import type { Socket } from 'node:net';

export type TransferRate = {
  /** Looked at once in so long. */
  readonly windowMs: number;
  /** Bytes per second that are enough, as a mean over a window. */
  readonly minBytesPerSecond: number;
};

/**
 * Watches that a connection moves: a sender or reader that is slower than the least rate over a whole window, or stands
 * still, must not hold a place for ever.
 *
 * @param direction which counter of the socket is looked at
 * @param onSlow called once
 * @returns how to stop watching
 */
export function watchTransfer(
  socket: Socket,
  direction: 'bytesRead' | 'bytesWritten',
  rate: TransferRate,
  onSlow: () => void,
): () => void {
  const needed = Math.max(1, (rate.minBytesPerSecond * rate.windowMs) / 1000);
  let before = socket[direction];
  const timer = setInterval(() => {
    const now = socket[direction];
    if (now - before < needed) {
      clearInterval(timer);
      onSlow();
    }
    before = now;
  }, rate.windowMs);
  return () => clearInterval(timer);
}
