import { availableParallelism } from 'node:os';

/** Bounds of judging signatures, which takes seconds for the largest files and for hostile ones. */
export const judgingLimits = {
  /** One core is left for everybody else; more than four would only wait for the disk. */
  workers: Math.min(4, Math.max(1, availableParallelism() - 1)),
  /** Documents that wait for a worker, each with its place among all that are in work; the next one is told at once. */
  waiting: 16,
  /** A gigabyte with a dozen signatures takes half of it; only a file that was made to cost takes longer. */
  timeoutMs: 60_000,
  /** Heap of a worker: the 16 MB of lists that are read from a store at most take a third of it. */
  heapMb: 512,
  /** How long a worker without work is kept: it takes some 90 MB, and starting one a few tenths of a second. */
  idleMs: 10_000,
} as const;

export type JudgingLimits = { readonly [Key in keyof typeof judgingLimits]: number };
