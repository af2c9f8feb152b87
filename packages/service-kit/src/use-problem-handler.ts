import { type Problem, problemMediaType, SigillumError, toProblem } from '@sigillum/errors';
import type { Express, NextFunction, Request, Response } from 'express';
import { addLogFields } from './create-http-app.ts';
import type { Logger } from './create-logger.ts';
import { findAllowedMethods } from './find-allowed-methods.ts';
import { getRequestId } from './request-id.ts';

/**
 * Ends an app: 404 and 405 for what no route took, RFC 9457 answers for everything thrown. An error that isn't ours
 * is logged with its stack and answered as `internal_error`. Call it after the last route.
 */
export function useProblemHandler(app: Express, options: { readonly logger: Logger }): void {
  app.use((request: Request, response: Response) => {
    const allowed = findAllowedMethods(app, request.path);
    if (allowed.length === 0) throw new SigillumError('request_not_found', 'There is nothing at this path.');
    response.setHeader('Allow', allowed.join(', '));
    throw new SigillumError('request_method_not_allowed', `This path takes ${allowed.join(', ')}.`);
  });
  // Express knows an error handler by its four parameters.
  app.use((thrown: unknown, _request: Request, response: Response, _next: NextFunction) => {
    answerProblem(thrown, response, options.logger);
  });
}

function answerProblem(thrown: unknown, response: Response, logger: Logger): void {
  const error = fromFramework(thrown);
  const requestId = getRequestId(response);
  const problem = toProblem(error, requestId);
  addLogFields(response, { code: problem.code });
  if (!(error instanceof SigillumError)) logger.error('unexpected error', { request_id: requestId, error });
  else if (problem.status >= 500 && !isShed(error)) logger.warn('request failed', { request_id: requestId, error });
  if (response.headersSent || response.destroyed) {
    // Half an answer can't be taken back; a broken connection is the only honest end.
    response.destroy();
    return;
  }
  sendProblem(response, problem, error instanceof SigillumError ? error.retryAfterSeconds : undefined);
}

/** No room now: the request's own line has the code, and under a flood a stack for each would be the next overload. */
function isShed({ retryAfterSeconds, cause }: SigillumError): boolean {
  return retryAfterSeconds !== undefined && cause === undefined;
}

/** Writes a problem answer (RFC 9457 §3) with the headers that its status asks for. */
export function sendProblem(response: Response, problem: Problem, retryAfterSeconds?: number): void {
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(Math.ceil(retryAfterSeconds)));
  // RFC 9110 §15.5.2: a 401 names at least one challenge.
  if (problem.status === 401 && !response.hasHeader('WWW-Authenticate')) {
    response.setHeader('WWW-Authenticate', 'Bearer realm="sigillum"');
  }
  for (const name of ['Content-Length', 'Content-Disposition', 'Last-Modified', 'Location'])
    response.removeHeader(name);
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Type', problemMediaType);
  response.status(problem.status).end(JSON.stringify(problem));
}

/** What express and its body parsers throw, in our codes; anything else unchanged. */
function fromFramework(thrown: unknown): unknown {
  if (thrown instanceof SigillumError || typeof thrown !== 'object' || thrown === null) return thrown;
  const type = 'type' in thrown ? thrown.type : undefined;
  const status = 'status' in thrown ? thrown.status : undefined;
  const options = { cause: thrown };
  if (type === 'request.aborted') return new SigillumError('request_aborted', 'The caller hung up.', options);
  if (status === 413) return new SigillumError('request_too_large', 'The body is too large.', options);
  if (status === 415) {
    return new SigillumError('request_media_type_unsupported', 'This encoding of a body is not supported.', options);
  }
  if (status === 400) {
    const what = type === 'entity.parse.failed' ? 'The body is not valid JSON.' : 'The request is not valid.';
    return new SigillumError('request_invalid', what, options);
  }
  return thrown;
}
