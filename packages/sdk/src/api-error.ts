import type { Problem } from '@sigillum/errors';

/** A problem as it comes over the wire: the service may be newer than this client, so its code may be unknown here. */
export type WireProblem = Omit<Problem, 'code'> & { readonly code: string };

/** What the service refused or failed to do (RFC 9457). Decide by `code`, show `message`. */
export class SigillumApiError extends Error {
  override readonly name = 'SigillumApiError';
  readonly code: string;
  readonly status: number;
  /** Name it when asking for help. */
  readonly requestId: string;
  /** After so many seconds trying again makes sense; undefined when the service didn't say. */
  readonly retryAfterSeconds: number | undefined;
  readonly problem: WireProblem;

  constructor(problem: WireProblem, retryAfterSeconds?: number) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.requestId = problem.request_id;
    this.retryAfterSeconds = retryAfterSeconds;
    this.problem = problem;
  }
}
