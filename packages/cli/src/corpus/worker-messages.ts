import type { WorkerResult } from './corpus-result.ts';

/** The first message to a worker; the key comes this way because command lines and environments can be read by others. */
export type WorkerStart = {
  readonly type: 'start';
  readonly url: string;
  readonly apiKey: string;
  /** DER in base64. */
  readonly roots: readonly string[];
  readonly level: 'b-t' | 'b-lt' | 'b-lta';
  readonly credential: string | undefined;
};

/** One file; a worker gets the next one after its answer. */
export type SealJob = {
  readonly type: 'seal';
  /** Base64 of the bytes of the path. */
  readonly path: string;
  readonly size: number;
  readonly output: string | null;
};

export type ToWorker = WorkerStart | SealJob;
export type FromWorker = { readonly type: 'result'; readonly result: WorkerResult };
