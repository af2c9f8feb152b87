import type { StartWorker } from './corpus/supervised-worker.ts';

/** Where a command reads and writes; the process's own, or a test's. */
export type Console = {
  readonly directory: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Resolves when the bytes are taken. */
  writeOut(bytes: Uint8Array | string): Promise<void>;
  writeError(text: string): void;
  /** Starts this program once more, as a worker of `corpus`; without it there is no such command. */
  readonly startWorker?: StartWorker;
};
