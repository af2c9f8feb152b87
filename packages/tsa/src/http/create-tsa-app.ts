import { isSigillumError, SigillumError } from '@sigillum/errors';
import {
  addLogFields,
  createHttpApp,
  getRequestId,
  type Logger,
  type Metrics,
  useProblemHandler,
} from '@sigillum/service-kit';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { ServerResponse } from 'node:http';
import type { PublicAdmission, RateReport } from './admission.ts';
import { answerTimeStampQuery } from './answer-time-stamp-query.ts';
import type { AcceptedRequest } from '../token/issue-time-stamps.ts';
import type { IssuingQueue, ListenerName } from '../token/issuing-queue.ts';
import { countAnswer, type Outcome, type TsaMetrics } from '../tsa-metrics.ts';

/** A query has 60 to 200 bytes; with extensions that we refuse anyway, a few hundred. */
export const maxQueryBytes = 16 * 1024;

export const queryType = 'application/timestamp-query';
export const replyType = 'application/timestamp-reply';

export type TsaAppOptions = {
  readonly listener: ListenerName;
  readonly queue: IssuingQueue<AcceptedRequest, Uint8Array>;
  readonly policy: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tsaMetrics: TsaMetrics;
  /** Of the public listener. */
  readonly admission?: PublicAdmission | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
};

/**
 * RFC 3161 over HTTP (RFC 3161 §3.4) for one listener, in full: `POST /` and everything that is wrong.
 *
 * @param findFailure what {@link createTsaListener} has met with a request; thrown here it becomes the answer
 */
export function createTsaApp(
  options: TsaAppOptions & { readonly findFailure: (request: Request) => unknown },
): Express {
  const { listener, queue, policy, logger, metrics, tsaMetrics, admission, trustedProxies = [] } = options;
  const app = createHttpApp({ logger, metrics, ...(trustedProxies.length > 0 && { trustProxy: trustedProxies }) });
  /** Counts what failed, and makes of it what problem answers are made of. */
  const fail = (error: unknown, response: Response): unknown => {
    countAnswer(tsaMetrics, listener, getOutcome(error));
    if (isSigillumError(error, 'request_unauthenticated')) {
      // RFC 9110 §11.6.1: both schemes, so that clients that only know Basic find out.
      response.setHeader('WWW-Authenticate', 'Bearer realm="time-stamps", Basic realm="time-stamps", charset="UTF-8"');
    }
    return toUnavailable(error);
  };
  // On the route of plain queries, which are the only ones that have failed already: logs and metrics name it.
  app.post('/', (request: Request, response: Response, next: NextFunction) => {
    const failure = options.findFailure(request);
    next(failure === undefined ? undefined : fail(failure, response));
  });
  // Before anything of the request is looked at: a flood costs no more than its heads.
  app.post('/', async (request: Request, response: Response, next: NextFunction) => {
    try {
      const admitted = await admission?.admit(request.ip ?? '', request.headers.authorization);
      if (admitted) setRateHeaders(response, admitted.rate);
      response.locals[clientKey] = admitted?.client;
    } catch (error) {
      throw fail(error, response);
    }
    next();
  });
  const answer = async (request: Request, response: Response): Promise<void> => {
    const abort = { aborted: false, reason: undefined as unknown };
    response.once('close', () => {
      if (response.writableFinished) return;
      abort.aborted = true;
      abort.reason = new SigillumError('request_aborted', 'The caller hung up.');
    });
    const body: unknown = request.body;
    const query = body instanceof Uint8Array ? body : new Uint8Array(0);
    const client = response.locals[clientKey] as string | undefined;
    try {
      const requestId = getRequestId(response);
      const context = { queue, policy, listener, requestId, client, signal: abort };
      const { der, outcome } = await answerTimeStampQuery(query, context);
      countAnswer(tsaMetrics, listener, outcome);
      addLogFields(response, { listener, outcome, ...(client !== undefined && { client }) });
      response.status(200).setHeader('content-type', replyType);
      response.end(der);
    } catch (error) {
      throw fail(error, response);
    }
  };
  app.post('/', assertQueryType, express.raw({ type: queryType, limit: maxQueryBytes, inflate: false }), answer);
  useProblemHandler(app, { logger });
  return app;
}

/** Where the admitted client's name is kept. */
const clientKey = 'sigillumTsaClient';

/** RateLimit-* of the limit that is nearest (api.md §1). */
export function setRateHeaders(response: ServerResponse, rate: RateReport): void {
  response.setHeader('RateLimit-Limit', String(rate.limit));
  response.setHeader('RateLimit-Remaining', String(rate.remaining));
  response.setHeader('RateLimit-Reset', String(rate.resetSeconds));
}

function assertQueryType(request: Request, _response: Response, next: () => void): void {
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== queryType) {
    throw new SigillumError('request_media_type_unsupported', `Send the query as ${queryType}.`);
  }
  next();
}

function getOutcome(error: unknown): Outcome {
  if (isSigillumError(error, 'tsa_overloaded')) return 'overloaded';
  if (isSigillumError(error, 'request_unauthenticated')) return 'unauthenticated';
  if (isSigillumError(error, 'request_rate_limited')) return 'rate_limited';
  return isSigillumError(error, 'request_aborted') ? 'aborted' : 'unavailable';
}

/** A signer that is away or busy is our trouble, whatever its code: 503, and when to come back. */
function toUnavailable(error: unknown): unknown {
  if (!isSigillumError(error) || !error.code.startsWith('signer_')) return error;
  return new SigillumError('service_unavailable', 'Time-stamps can not be signed at the moment. Try again.', {
    cause: error,
    retryAfterSeconds: error.retryAfterSeconds ?? 5,
  });
}
