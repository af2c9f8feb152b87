import { codeRegistry, type ErrorCode } from './code-registry.ts';
import { type FieldProblem, SigillumError } from './sigillum-error.ts';

/** An RFC 9457 problem details object as this product sends it. */
export type Problem = {
  /** `/problems/<code>`, resolvable on the public API. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly request_id: string;
  readonly errors?: readonly FieldProblem[];
};

/** The media type of {@link Problem} (RFC 9457 §6.1). */
export const problemMediaType = 'application/problem+json';

/** Maps any thrown value to a problem. What is not a {@link SigillumError} becomes `internal_error` and says nothing of itself. */
export function toProblem(error: unknown, requestId: string): Problem {
  const known =
    error instanceof SigillumError ? error : new SigillumError('internal_error', 'Something went wrong on our side.');
  const { status, title } = codeRegistry[known.code];
  return {
    type: `/problems/${known.code}`,
    title,
    status,
    detail: known.message,
    code: known.code,
    request_id: requestId,
    ...(known.fields.length > 0 ? { errors: known.fields } : {}),
  };
}
