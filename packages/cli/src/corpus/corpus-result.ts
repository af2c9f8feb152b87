/** What became of one file; a line of `--json`. */
export type CorpusResult = {
  /** Below the folder that was named. */
  readonly file: string;
  /** Bytes; null when they can't be told. */
  readonly size: number | null;
  /** `refused`: the document can't be sealed. `failed`: it should have been. */
  readonly outcome: 'sealed' | 'refused' | 'failed';
  /** Stable code of a refusal or failure. */
  readonly code: string | null;
  readonly detail: string | null;
  /** CPU of sealing: reading, hashing, preparing, asking the service; without the check afterwards. */
  readonly cpu_ms: number | null;
  /** CPU of validating what came out. */
  readonly check_cpu_ms: number | null;
  readonly elapsed_ms: number;
  readonly level: string;
  readonly seal_id: string | null;
  readonly sealed_size: number | null;
  readonly earlier_signatures: number | null;
  /** Whether `sigillum verify` accepts our signature in it; null without roots to trust. */
  readonly verified: boolean | null;
  /** Codes of what it objects to, also to the file as it came. */
  readonly findings: readonly string[];
};

/** The part of a result that the worker knows. */
export type WorkerResult = Omit<CorpusResult, 'file' | 'elapsed_ms' | 'level'> & {
  /** The service was not to be had: worth another try after so long. */
  readonly retry_after_ms: number | null;
};

/** What every result has in common that isn't one of a sealed file. */
export const noSeal = {
  check_cpu_ms: null,
  seal_id: null,
  sealed_size: null,
  earlier_signatures: null,
  verified: null,
  findings: [],
} as const;
