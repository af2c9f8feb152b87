import { lookup } from 'node:dns/promises';
import http from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { type AddressGuard, getHost, getPort } from './address-guard.ts';

/** All addresses of a name, in the order in which they are to be tried. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Addresses of one name that are tried: the others are likely to be dead for the same reason. */
const maxAddresses = 4;

/** The resolver of the operating system. */
export async function resolveBySystem(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

export type ConnectionOptions = {
  readonly url: URL;
  readonly guard: AddressGuard;
  readonly resolve: Resolve;
  /** `http://host:port` of an egress proxy: it resolves the name and is the one that must guard addresses. */
  readonly proxy?: URL | undefined;
  /** Trust anchors for TLS, PEM. Default: those that Node.js comes with. */
  readonly tlsRoots?: readonly string[] | undefined;
  readonly signal: AbortSignal;
};

/**
 * A connected socket to the host of a URL, with TLS when it is https. The name is resolved here, once; only an address that
 * the guard allows is connected to, and the address at the other end is checked again before a byte is sent. Throws
 * `egress_refused` or `egress_failed`.
 */
export async function openConnection(options: ConnectionOptions): Promise<Socket> {
  const { url, signal } = options;
  const socket = await (options.proxy ? connectByProxy(options, options.proxy) : connectDirectly(options));
  if (url.protocol !== 'https:') return socket;
  const host = getHost(url);
  const tls = connectTls({
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(options.tlsRoots ? { ca: [...options.tlsRoots] } : {}),
  });
  try {
    await waitFor(tls, 'secureConnect', signal);
    return tls;
  } catch (error) {
    tls.destroy();
    socket.destroy();
    throw error;
  }
}

async function connectDirectly({ url, guard, resolve, signal }: ConnectionOptions): Promise<Socket> {
  const port = getPort(url);
  const host = getHost(url);
  const addresses = isIP(host) === 0 ? await resolveName(host, resolve, signal) : [host];
  const allowed = addresses.filter((address) => guard.isAllowed(address, port)).slice(0, maxAddresses);
  if (allowed.length === 0) {
    throw new SigillumError('egress_refused', 'The address may not be fetched from: its host is not a public one.');
  }
  let last: unknown;
  for (const address of allowed) {
    const socket = connect({ host: address, port });
    try {
      await waitFor(socket, 'connect', signal);
      guard.assertAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
      return socket;
    } catch (error) {
      socket.destroy();
      if (signal.aborted || isSigillumError(error, 'egress_refused')) throw error;
      last = error;
    }
  }
  throw last;
}

/** https through CONNECT (RFC 9110 §9.3.6); plain http is asked of the proxy itself, see `exchange`. */
async function connectByProxy({ url, signal }: ConnectionOptions, proxy: URL): Promise<Socket> {
  const socket = connect({ host: getHost(proxy), port: getPort(proxy) });
  await waitFor(socket, 'connect', signal);
  if (url.protocol !== 'https:') return socket;
  const target = `${url.hostname}:${getPort(url)}`;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const request = http.request({
    createConnection: () => socket,
    method: 'CONNECT',
    path: target,
    headers: { host: target },
    signal,
  });
  request.on('connect', (response, tunnel) => {
    // What a proxy sends before TLS has begun is none of the server's.
    if (response.statusCode === 200) resolve(tunnel);
    else reject(failed(`the proxy answered HTTP ${response.statusCode}`));
  });
  request.on('response', (response) => {
    response.destroy();
    reject(failed(`the proxy answered HTTP ${response.statusCode}`));
  });
  request.on('error', (cause) => reject(failed('the proxy could not be used', cause)));
  request.end();
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function resolveName(host: string, resolve: Resolve, signal: AbortSignal): Promise<readonly string[]> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(failed('it did not answer in time'));
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([resolve(host), aborted.promise]);
  } catch (cause) {
    throw isSigillumError(cause) ? cause : failed('its name has no address', cause);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function waitFor(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  const fail = (cause: Error): void => reject(failed('the connection failed', cause));
  const end = (): void => reject(failed('the connection was closed'));
  const abort = (): void => {
    socket.destroy();
    reject(failed('it did not answer in time'));
  };
  socket.once(event, done);
  socket.once('error', fail);
  socket.once('close', end);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return promise.finally(() => {
    socket.off(event, done);
    socket.off('close', end);
    signal.removeEventListener('abort', abort);
    // An error after this belongs to the exchange, or to nobody when the socket was given up.
    socket.off('error', fail);
    socket.on('error', () => undefined);
  });
}

function failed(why: string, cause?: unknown): SigillumError {
  return new SigillumError('egress_failed', `The server can't be used: ${why}.`, { cause });
}
