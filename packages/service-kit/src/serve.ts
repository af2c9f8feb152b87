import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { problemMediaType, SigillumError, toProblem } from '@sigillum/errors';
import { answerClientErrors } from './answer-client-error.ts';
import { boundHandshakes } from './bound-handshakes.ts';
import { createRequestId, requestIdHeader } from './request-id.ts';
import { takeTurns } from './take-turns.ts';

/** Bounds of a listener; every one has a default. */
export type ServeLimits = {
  /** The request head must be there in this time: a slow sender holds a connection no longer. */
  readonly headersTimeoutMs?: number;
  /** The whole request must be there in this time; larger where documents are uploaded. */
  readonly requestTimeoutMs?: number;
  /** An idle connection is closed after this time. */
  readonly keepAliveTimeoutMs?: number;
  /** Connections beyond are closed at once: file descriptors are finite. */
  readonly maxConnections?: number;
  /** Request heads beyond are answered 431. */
  readonly maxHeaderBytes?: number;
  /** A TLS connection must have shown who it is in this time. */
  readonly handshakeTimeoutMs?: number;
  /** From so many TLS connections that haven't yet, the slow ones give way to newcomers; default half of `maxConnections`. */
  readonly crowdedHandshakes?: number;
};

/** PEM texts. With `clientRoots`, a client without a certificate from one of these roots gets no connection. */
export type ServeTls = { readonly certificate: string; readonly key: string; readonly clientRoots?: string };

export type ServeOptions = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: ServeTls;
  readonly limits?: ServeLimits;
  /** Told of each connection when it is accepted, before TLS; may destroy it. */
  readonly onConnection?: (socket: Socket) => void;
  /** Told of each TLS connection when its handshake is done, before any request; may destroy it. */
  readonly onSecureConnection?: (socket: TLSSocket) => void;
  /** Told of each TLS connection that ended before that; its `authorizationError` says what was wrong with the certificate. */
  readonly onRefusedHandshake?: (error: Error, socket: TLSSocket) => void;
};

/** A listener that is accepting. */
export type RunningServer = {
  readonly port: number;
  /** Stops accepting, closes idle connections, waits for those in flight, and after `graceMs` cuts them. */
  close(graceMs?: number): Promise<void>;
  /** Takes a renewed certificate for new connections. */
  replaceTls(tls: ServeTls): void;
};

const defaults = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  // Longer than the idle time of our own clients' agents, so that the client closes first and meets no reset.
  keepAliveTimeoutMs: 15_000,
  maxConnections: 1_000,
  maxHeaderBytes: 16 * 1024,
  // A few round trips, also over a bad line.
  handshakeTimeoutMs: 10_000,
} as const satisfies ServeLimits;

/** How often Node looks for requests over their time; its default of 30 s would make the bounds above words. */
const timeoutCheckMs = 1_000;

/** Time for requests in flight at a shutdown. */
export const defaultGraceMs = 10_000;

/** How often a closing listener looks for connections that have become idle. */
const idleCheckMs = 50;

/**
 * Listens with bounded time, connections and headers; with `tls` only TLS 1.3.
 * @throws SigillumError `config_invalid` when the port is taken, not allowed, or the certificate is not usable.
 */
export async function serve(listener: RequestListener, options: ServeOptions): Promise<RunningServer> {
  const limits = { ...defaults, ...options.limits };
  const server = createListener(takeTurns(listener), options, {
    // Node refuses a head that may take longer than the whole.
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs || Infinity),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    connectionsCheckingInterval: timeoutCheckMs,
    handshakeTimeout: limits.handshakeTimeoutMs,
  });
  server.maxConnections = limits.maxConnections;
  if (options.tls !== undefined) {
    boundHandshakes(server, limits.crowdedHandshakes ?? Math.ceil(limits.maxConnections / 2));
    if (options.onSecureConnection) server.on('secureConnection', options.onSecureConnection);
    if (options.onRefusedHandshake) server.on('tlsClientError', options.onRefusedHandshake);
  }
  server.on('checkExpectation', refuseExpectation);
  answerClientErrors(server);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    options.onConnection?.(socket);
  });
  await listen(server, options);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  let closing: Promise<void> | undefined;
  return {
    port,
    close: (graceMs = defaultGraceMs) => (closing ??= closeGracefully(server, sockets, graceMs)),
    replaceTls: (tls) => {
      if ('setSecureContext' in server && typeof server.setSecureContext === 'function') {
        server.setSecureContext(toTlsOptions(tls));
      }
    },
  };
}

/** RFC 9110 §10.1.1: only `100-continue` is known. Node would answer without a word. */
function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const requestId = createRequestId();
  const error = new SigillumError('request_expectation_failed', 'Send no Expect header but 100-continue.');
  response.writeHead(417, { 'Content-Type': problemMediaType, [requestIdHeader]: requestId, Connection: 'close' });
  response.end(JSON.stringify(toProblem(error, requestId)));
}

function createListener(listener: RequestListener, options: ServeOptions, bounds: TlsServerOptions): HttpServer {
  if (options.tls === undefined) return createServer(bounds, listener);
  try {
    return createTlsServer({ ...bounds, ...toTlsOptions(options.tls) }, listener);
  } catch (cause) {
    throw new SigillumError('config_invalid', 'The TLS certificate, its key or the client roots are not usable.', {
      cause,
    });
  }
}

function toTlsOptions(tls: ServeTls) {
  return {
    cert: tls.certificate,
    key: tls.key,
    minVersion: 'TLSv1.3',
    ...(tls.clientRoots === undefined ? {} : { ca: tls.clientRoots, requestCert: true, rejectUnauthorized: true }),
  } as const;
}

async function listen(server: HttpServer, { host, port }: ServeOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const code = Error.isError(cause) && 'code' in cause ? String(cause.code) : 'unknown';
    throw new SigillumError(
      'config_invalid',
      code === 'EADDRINUSE'
        ? `Port ${port} on ${host} is in use by another program.`
        : `Can't listen on ${host} port ${port} (${code}).`,
      { cause },
    );
  }
}

async function closeGracefully(server: HttpServer, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const whenClosed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that just ended its request would otherwise stay for the keep-alive time.
  const idle = setInterval(() => server.closeIdleConnections(), idleCheckMs);
  const grace = new AbortController();
  await Promise.race([whenClosed, sleep(graceMs, undefined, { signal: grace.signal })]);
  grace.abort();
  clearInterval(idle);
  // Also those in the middle of a TLS handshake, which the HTTP layer doesn't know yet.
  for (const socket of sockets) socket.destroy();
  await whenClosed;
}
