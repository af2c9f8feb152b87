import http from 'node:http';
import { SigillumError } from '@sigillum/errors';
import { AddressGuard, type AddressGuardOptions, getPort } from './address-guard.ts';
import { HostLanes } from './host-lanes.ts';
import { openConnection, type Resolve, resolveBySystem } from './open-connection.ts';

export type GuardedClientOptions = AddressGuardOptions & {
  /** For one exchange: waiting for a lane, resolving, connecting, the redirect, the whole answer. Default 5 s. */
  readonly timeoutMs?: number;
  /** Exchanges with one host at a time. Default 4. */
  readonly maxPerHost?: number;
  /**
   * `http://host:port` of an egress proxy. URLs are checked as without it, addresses of names are the proxy's to check: it
   * resolves them.
   */
  readonly proxy?: string | undefined;
  /** PEM of trust anchors for https; default those that Node.js comes with. */
  readonly tlsRoots?: readonly string[] | undefined;
  /** Default: the resolver of the operating system. */
  readonly resolve?: Resolve;
};

export type GuardedRequest = {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** More is not read. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
};

export type GuardedAnswer = {
  /** 200. */
  readonly body: Uint8Array;
  /** In lower case, without parameters; empty when there was none. */
  readonly mediaType: string;
};

type Redirect = { readonly redirect: string };

const redirects = new Set([301, 302, 303, 307, 308]);
/** These keep the method and the body (RFC 9110 §15.4.8, §15.4.9). */
const faithfulRedirects = new Set([307, 308]);

/**
 * HTTP to addresses that somebody else has named: certificates, webhooks. Every URL and every address is the guard's to
 * allow, also after the one redirect that is followed; bytes, time and exchanges with each host are bounded; nothing is
 * kept open, no cookie, no compression. Only a 200 is an answer. Throws `egress_refused`, `egress_failed`, and the signal's
 * reason.
 *
 * @example const { body } = await client.fetch({ url, method: 'GET', maxBytes: 100_000 });
 */
export class GuardedClient {
  readonly #guard: AddressGuard;
  readonly #timeoutMs: number;
  readonly #lanes: HostLanes;
  readonly #options: GuardedClientOptions;
  readonly #proxy: URL | undefined;

  constructor(options: GuardedClientOptions = {}) {
    this.#options = options;
    this.#guard = new AddressGuard(options);
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#lanes = new HostLanes(options.maxPerHost ?? 4);
    this.#proxy = options.proxy === undefined ? undefined : parseProxy(options.proxy);
  }

  async fetch(request: GuardedRequest): Promise<GuardedAnswer> {
    request.signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
    try {
      const first = await this.#exchange(request, signal);
      if (!('redirect' in first)) return first;
      const second = await this.#exchange({ ...request, url: first.redirect }, signal);
      if ('redirect' in second) throw failed('it redirects more than once');
      return second;
    } catch (error) {
      request.signal?.throwIfAborted();
      if (timeout.aborted) throw failed('it did not answer in time', error);
      throw error;
    }
  }

  async #exchange(request: GuardedRequest, signal: AbortSignal): Promise<GuardedAnswer | Redirect> {
    const url = this.#guard.parseUrl(request.url);
    const leave = await this.#lanes.enter(url.host, signal);
    try {
      const socket = await openConnection({
        url,
        guard: this.#guard,
        resolve: this.#options.resolve ?? resolveBySystem,
        proxy: this.#proxy,
        tlsRoots: this.#options.tlsRoots,
        signal,
      });
      try {
        return await send(request, url, { socket, viaProxy: this.#proxy !== undefined }, signal);
      } finally {
        socket.destroy();
      }
    } finally {
      leave();
    }
  }
}

type Connection = {
  readonly socket: Awaited<ReturnType<typeof openConnection>>;
  readonly viaProxy: boolean;
};

function send(
  request: GuardedRequest,
  url: URL,
  { socket, viaProxy }: Connection,
  signal: AbortSignal,
): Promise<GuardedAnswer | Redirect> {
  const { promise, resolve, reject } = Promise.withResolvers<GuardedAnswer | Redirect>();
  const path = `${url.pathname}${url.search}`;
  const client = http.request({
    createConnection: () => socket,
    method: request.method,
    // Plain http through a proxy is asked for by the whole URL (RFC 9112 §3.2.2).
    path: viaProxy && url.protocol === 'http:' ? `http://${url.hostname}:${getPort(url)}${path}` : path,
    headers: {
      ...request.headers,
      host: url.host,
      connection: 'close',
      ...(request.body ? { 'content-length': String(request.body.length) } : {}),
    },
    signal,
  });
  client.on('error', (cause) => reject(failed('the connection failed', cause)));
  client.on('response', (response) => {
    receive(response, request, url).then(resolve, reject);
  });
  // Without a listener Node.js closes the connection and says nothing: nobody would ever come back from here.
  client.on('upgrade', (_response, upgraded) => {
    upgraded.destroy();
    reject(failed('it wants to speak another protocol'));
  });
  client.end(request.body);
  return promise;
}

async function receive(
  response: http.IncomingMessage,
  request: GuardedRequest,
  url: URL,
): Promise<GuardedAnswer | Redirect> {
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (redirects.has(status) && location !== undefined) {
    if (request.method === 'POST' && !faithfulRedirects.has(status)) throw failed('it redirects what was posted');
    if (!URL.canParse(location, url.href)) throw failed('it redirects to nowhere');
    return { redirect: new URL(location, url.href).href };
  }
  if (status !== 200) throw failed(`it answered HTTP ${status}`);
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw failed('it compressed its answer unasked');
  const tooLarge = `its answer has more than ${request.maxBytes} bytes`;
  if (Number(response.headers['content-length'] ?? 0) > request.maxBytes) throw failed(tooLarge);
  const mediaType = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return { body: await readBody(response, request.maxBytes, tooLarge), mediaType };
}

async function readBody(response: http.IncomingMessage, maxBytes: number, tooLarge: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw failed('it broke off its answer', cause);
  }
  if (length > maxBytes) throw failed(tooLarge);
  return new Uint8Array(Buffer.concat(chunks));
}

function parseProxy(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || url.username !== '' || url.pathname !== '/' || url.search !== '') {
    throw new SigillumError('config_invalid', 'The egress proxy must be written as http://host:port.');
  }
  return url;
}

function failed(why: string, cause?: unknown): SigillumError {
  return new SigillumError('egress_failed', `The server can't be used: ${why}.`, { cause });
}
