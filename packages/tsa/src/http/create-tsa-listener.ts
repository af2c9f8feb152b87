import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { isSigillumError, problemMediaType, SigillumError, toProblem } from '@sigillum/errors';
import { createRequestId, requestIdHeader } from '@sigillum/service-kit';
import { countAnswer, type Outcome } from '../tsa-metrics.ts';
import { answerTimeStampQuery } from './answer-time-stamp-query.ts';
import {
  createTsaApp,
  maxQueryBytes,
  queryType,
  replyType,
  setRateHeaders,
  type TsaAppOptions,
} from './create-tsa-app.ts';

/** In the log, an answer that nobody waited for, as createHttpApp says it. */
const callerHungUp = 499;

/**
 * RFC 3161 over HTTP for one listener. A well-formed `POST /` is answered here, without a framework: express, its
 * middleware and its body parser cost more than the token. Whatever else comes, and everything that fails, goes to the
 * express app, which knows all the rest.
 */
export function createTsaListener(options: TsaAppOptions): RequestListener {
  const failures = new WeakMap<IncomingMessage, unknown>();
  const app = createTsaApp({ ...options, findFailure: (request) => failures.get(request) });
  return (request, response) => {
    if (!isPlainQuery(request, options)) return app(request, response);
    answer(request, response, options).catch((error: unknown) => {
      failures.set(request, error);
      app(request, response);
    });
    return undefined;
  };
}

/** Whether a request is one that needs nothing of express: its form, no proxy to believe, and a body of a known size. */
function isPlainQuery({ method, url, headers }: IncomingMessage, { trustedProxies = [] }: TsaAppOptions): boolean {
  const length = headers['content-length'];
  return (
    method === 'POST' &&
    url === '/' &&
    headers['content-type'] === queryType &&
    headers['content-encoding'] === undefined &&
    headers['expect'] === undefined &&
    length !== undefined &&
    Number(length) <= maxQueryBytes &&
    trustedProxies.length === 0
  );
}

/** What the end of the connection means: the caller left, the answer is out, or express has taken over. */
type Exchange = { state: 'waiting' | 'answered' | 'handed_on'; aborted: boolean; reason: unknown };

async function answer(request: IncomingMessage, response: ServerResponse, options: TsaAppOptions): Promise<void> {
  const { listener, queue, policy, logger, metrics, tsaMetrics, admission } = options;
  const started = performance.now();
  const requestId = createRequestId();
  const exchange: Exchange = { state: 'waiting', aborted: false, reason: undefined };
  let client: string | undefined;
  let outcome: Outcome | undefined;
  metrics.http.inFlight.inc();
  response.once('close', () => {
    if (exchange.state === 'handed_on') return;
    if (exchange.state === 'waiting') {
      exchange.aborted = true;
      exchange.reason = new SigillumError('request_aborted', 'The caller hung up.');
    }
    const ms = performance.now() - started;
    const status = response.writableFinished ? response.statusCode : callerHungUp;
    metrics.http.inFlight.dec();
    metrics.http.duration.observe({ method: 'POST', route: '/', status: String(status) }, ms / 1000);
    logger.info('request', {
      request_id: requestId,
      method: 'POST',
      route: '/',
      status,
      ms: Math.round(ms * 1000) / 1000,
      listener,
      outcome: outcome ?? 'aborted',
      ...(client !== undefined && { client }),
    });
  });
  try {
    const admitted = await admission?.admit(request.socket.remoteAddress ?? '', request.headers.authorization);
    if (admitted) setRateHeaders(response, admitted.rate);
    client = admitted?.client;
    const query = await readBody(request);
    const answered = await answerTimeStampQuery(query, {
      queue,
      policy,
      listener,
      requestId,
      client,
      signal: exchange,
    });
    outcome = answered.outcome;
    countAnswer(tsaMetrics, listener, outcome);
    exchange.state = 'answered';
    response.writeHead(200, {
      'Content-Type': replyType,
      'Content-Length': answered.der.length,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      [requestIdHeader]: requestId,
    });
    // As text of one byte a character, head and body go out in one piece; of two Node makes a vector.
    response.end(toBuffer(answered.der).toString('latin1'), 'latin1');
  } catch (error) {
    // A caller that left has had its log line; nobody reads what express would say.
    if (exchange.aborted) return countAnswer(tsaMetrics, listener, 'aborted');
    if (isSigillumError(error, 'request_rate_limited') || isSigillumError(error, 'tsa_overloaded')) {
      // What a flood gets must cost least of all.
      outcome = error.code === 'tsa_overloaded' ? 'overloaded' : 'rate_limited';
      countAnswer(tsaMetrics, listener, outcome);
      exchange.state = 'answered';
      return refuse(response, error, requestId);
    }
    exchange.state = 'handed_on';
    metrics.http.inFlight.dec();
    throw error;
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A problem answer (RFC 9457) as useProblemHandler makes it, for the two that come in floods. */
function refuse(response: ServerResponse, error: SigillumError, requestId: string): void {
  const problem = toProblem(error, requestId);
  const body = Buffer.from(JSON.stringify(problem));
  response.writeHead(problem.status, {
    'Content-Type': problemMediaType,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'Retry-After': String(Math.ceil(error.retryAfterSeconds ?? 1)),
    [requestIdHeader]: requestId,
  });
  response.end(body);
}

/** The body, whose length isPlainQuery has bounded and Node enforces. */
function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  let body: Buffer | undefined;
  request.on('data', (chunk: Buffer) => (body = body === undefined ? chunk : Buffer.concat([body, chunk])));
  request.once('end', () => resolve(body ?? new Uint8Array(0)));
  request.once('error', reject);
  return promise;
}
