import http from 'node:http';
import https from 'node:https';
import { SigillumError } from '@sigillum/errors';

/** The keep-alive agents of one requester. */
export type Agents = { readonly http: http.Agent; readonly https: https.Agent };

export type ExchangeOptions = {
  readonly url: URL;
  readonly body: Uint8Array;
  readonly agents: Agents;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * One RFC 3161 exchange over HTTP (RFC 3161 §3.4): the body of a 200 with the right media type, else `tsa_unavailable`.
 * The time limit covers connect, request and the whole answer, so that an answer in drops ends too.
 */
export function exchangeTimeStamp(options: ExchangeOptions): Promise<Uint8Array> {
  const { url, body, agents } = options;
  const isTls = url.protocol === 'https:';
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const request = (isTls ? https : http).request(url, {
    method: 'POST',
    agent: isTls ? agents.https : agents.http,
    headers: {
      'content-type': 'application/timestamp-query',
      'content-length': body.length,
      accept: 'application/timestamp-reply',
    },
    signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
  });
  request.on('error', (cause) => {
    reject(unavailable(timeout.aborted ? 'it did not answer in time' : 'the connection failed', cause));
  });
  request.on('response', (response) => {
    const refuse = (why: string): void => {
      reject(unavailable(why));
      request.destroy();
    };
    if (response.statusCode !== 200) return refuse(`it answered HTTP ${response.statusCode}`);
    const mediaType = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    if (mediaType !== 'application/timestamp-reply') return refuse('it answered another media type');
    const chunks: Buffer[] = [];
    let length = 0;
    response.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > options.maxAnswerBytes) return refuse('its answer is too large');
      chunks.push(chunk);
    });
    response.on('error', (cause) => reject(unavailable('the connection failed', cause)));
    response.on('aborted', () => reject(unavailable('it broke off its answer')));
    response.on('end', () => resolve(Buffer.concat(chunks)));
  });
  request.end(body);
  return promise;
}

function unavailable(why: string, cause?: unknown): SigillumError {
  return new SigillumError('tsa_unavailable', `The time-stamp authority can't be used: ${why}.`, { cause });
}
