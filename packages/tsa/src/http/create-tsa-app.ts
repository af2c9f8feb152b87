import { isSigillumError, SigillumError } from '@sigillum/errors';
import {
  addLogFields,
  createHttpApp,
  getRequestId,
  type Logger,
  type Metrics,
  useProblemHandler,
} from '@sigillum/service-kit';
import express, { type Express, type Request, type Response } from 'express';
import type { PublicAdmission } from './admission.ts';
import { answerTimeStampQuery } from './answer-time-stamp-query.ts';
import type { AcceptedRequest } from '../token/issue-time-stamps.ts';
import type { IssuingQueue, ListenerName } from '../token/issuing-queue.ts';
import { countAnswer, type Outcome, type TsaMetrics } from '../tsa-metrics.ts';

/** A query has 60 to 200 bytes; with extensions that we refuse anyway, a few hundred. */
const maxQueryBytes = 16 * 1024;

const queryType = 'application/timestamp-query';
const replyType = 'application/timestamp-reply';

/** RFC 3161 over HTTP (RFC 3161 §3.4) for one listener: `POST /`. */
export function createTsaApp(options: {
  readonly listener: ListenerName;
  readonly queue: IssuingQueue<AcceptedRequest, Uint8Array>;
  readonly policy: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tsaMetrics: TsaMetrics;
  /** Of the public listener. */
  readonly admission?: PublicAdmission | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
}): Express {
  const { listener, queue, policy, logger, metrics, tsaMetrics, admission, trustedProxies = [] } = options;
  const app = createHttpApp({ logger, metrics, ...(trustedProxies.length > 0 && { trustProxy: trustedProxies }) });
  const answer = async (request: Request, response: Response): Promise<void> => {
    const hangUp = new AbortController();
    response.once('close', () => hangUp.abort(new SigillumError('request_aborted', 'The caller hung up.')));
    const body: unknown = request.body;
    const query = body instanceof Uint8Array ? body : new Uint8Array(0);
    try {
      const requestId = getRequestId(response);
      const client = getClient(response);
      const { der, outcome } = await answerTimeStampQuery(query, {
        queue,
        policy,
        listener,
        requestId,
        client,
        signal: hangUp.signal,
      });
      countAnswer(tsaMetrics, listener, outcome);
      addLogFields(response, { listener, outcome, ...(client !== undefined && { client }) });
      response.status(200).setHeader('content-type', replyType);
      response.end(der);
    } catch (error) {
      countAnswer(tsaMetrics, listener, getOutcome(error));
      throw toUnavailable(error);
    }
  };
  // Before anything of the request is looked at: a flood costs no more than its heads.
  if (admission)
    app.post(
      '/',
      admit(admission, (outcome) => countAnswer(tsaMetrics, listener, outcome)),
    );
  app.post('/', assertQueryType, express.raw({ type: queryType, limit: maxQueryBytes, inflate: false }), answer);
  useProblemHandler(app, { logger });
  return app;
}

/** Where the admitted client's name is kept. */
const clientKey = 'sigillumTsaClient';

function admit(admission: PublicAdmission, count: (outcome: Outcome) => void) {
  return async (request: Request, response: Response, next: () => void): Promise<void> => {
    try {
      const { client, rate } = await admission.admit(request.ip ?? '', request.headers.authorization);
      response.locals[clientKey] = client;
      response.setHeader('RateLimit-Limit', String(rate.limit));
      response.setHeader('RateLimit-Remaining', String(rate.remaining));
      response.setHeader('RateLimit-Reset', String(rate.resetSeconds));
    } catch (error) {
      const isUnknown = isSigillumError(error, 'request_unauthenticated');
      // RFC 9110 §11.6.1: both schemes, so that clients that only know Basic find out.
      if (isUnknown) {
        response.setHeader(
          'WWW-Authenticate',
          'Bearer realm="time-stamps", Basic realm="time-stamps", charset="UTF-8"',
        );
      }
      count(isUnknown ? 'unauthenticated' : 'rate_limited');
      throw error;
    }
    next();
  };
}

function getClient(response: Response): string | undefined {
  return response.locals[clientKey] as string | undefined;
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
