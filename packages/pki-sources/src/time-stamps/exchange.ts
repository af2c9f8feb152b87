import http from 'node:http';
import https from 'node:https';
import { SigillumError } from '@sigillum/errors';

/** The keep-alive agents of one requester. */
export type Agents = { readonly http: http.Agent; readonly https: https.Agent };

export type ExchangeOptions = {
  readonly url: URL;
  readonly body: Uint8Array;
  readonly agents: Agents;
  /** A header more: authorisation. */
  readonly header?: readonly [string, string] | undefined;
  /** PEM of trust anchors for https. */
  readonly tlsRoots?: readonly string[] | undefined;
  /** For everything: connect, request, the whole answer, and a second connection where the first had gone. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * One RFC 3161 exchange over HTTP (RFC 3161 §3.4): the body of a 200 with the right media type, else `tsa_unavailable`.
 * A kept connection that the server closed meanwhile is replaced once by a new one: no answer was on its way, and a query
 * may be asked twice.
 */
export async function exchangeTimeStamp(options: ExchangeOptions): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
  try {
    return await send(options, signal, true);
  } catch (error) {
    if (error instanceof StaleConnection && !signal.aborted) return await send(options, signal, false);
    if (timeout.aborted) throw unavailable('it did not answer in time', error);
    throw error;
  }
}

class StaleConnection extends Error {}

function send(options: ExchangeOptions, signal: AbortSignal, keepAlive: boolean): Promise<Uint8Array> {
  const { url, body, agents } = options;
  const isTls = url.protocol === 'https:';
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const request = (isTls ? https : http).request(url, {
    method: 'POST',
    agent: keepAlive && (isTls ? agents.https : agents.http),
    headers: {
      'content-type': 'application/timestamp-query',
      'content-length': body.length,
      accept: 'application/timestamp-reply',
      ...(options.header ? { [options.header[0]]: options.header[1] } : {}),
    },
    ...(options.tlsRoots ? { ca: [...options.tlsRoots] } : {}),
    signal,
  });
  let answered = false;
  request.on('error', (cause) => {
    const isStale = request.reusedSocket && !answered && !signal.aborted;
    reject(
      isStale ? new StaleConnection('the connection had gone', { cause }) : unavailable('the connection failed', cause),
    );
  });
  request.on('response', (response) => {
    answered = true;
    receive(response, options.maxAnswerBytes).then(resolve, (error: unknown) => {
      reject(error);
      request.destroy();
    });
  });
  // Without a listener Node.js closes the connection and says nothing: nobody would ever come back from here.
  request.on('upgrade', (_response, socket) => {
    socket.destroy();
    reject(unavailable('it wants to speak another protocol'));
  });
  request.end(body);
  return promise;
}

function receive(response: http.IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const mediaType = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (response.statusCode !== 200) reject(unavailable(`it answered HTTP ${response.statusCode}`));
  else if (mediaType !== 'application/timestamp-reply') reject(unavailable('it answered another media type'));
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxBytes) reject(unavailable('its answer is too large'));
    else chunks.push(chunk);
  });
  response.on('error', (cause) => reject(unavailable('it broke off its answer', cause)));
  response.on('end', () => resolve(Buffer.concat(chunks)));
  return promise;
}

function unavailable(why: string, cause?: unknown): SigillumError {
  return new SigillumError('tsa_unavailable', `The time-stamp authority can't be used: ${why}.`, { cause });
}
