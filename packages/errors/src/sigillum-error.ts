import type { ErrorCode } from './code-registry.ts';

/** One wrong field of a JSON body or query. `pointer` is an RFC 6901 JSON Pointer. */
export type FieldProblem = { readonly pointer: string; readonly detail: string };

export type SigillumErrorOptions = {
  readonly cause?: unknown;
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  readonly fields?: readonly FieldProblem[];
};

/**
 * The one error that crosses package borders. `message` is a sentence that a person can act on; it is shown
 * to callers, so it never holds a secret, document bytes or text from an HSM.
 *
 * @example throw new SigillumError('pdf_xref_damaged', 'The cross-reference table ends in the middle of an entry.');
 */
export class SigillumError extends Error {
  override readonly name = 'SigillumError';
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: readonly FieldProblem[];

  constructor(code: ErrorCode, message: string, options: SigillumErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.fields = options.fields ?? [];
  }
}

/** Whether an unknown thrown value is ours, optionally with one of the given codes. */
export function isSigillumError(error: unknown, ...codes: readonly ErrorCode[]): error is SigillumError {
  return error instanceof SigillumError && (codes.length === 0 || codes.includes(error.code));
}
