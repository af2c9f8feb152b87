import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { SigillumError } from '@sigillum/errors';
import express, { type Express } from 'express';
import {
  addLogFields,
  createHttpApp,
  createLogger,
  createMetrics,
  createRequestId,
  type RunningServer,
  type ServeOptions,
  serve,
  serveInternal,
  useProblemHandler,
} from './index.ts';

type Line = Readonly<Record<string, unknown>>;

const servers: RunningServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close(0);
});

/** An app with routes on a free port, its log lines and its metrics. */
async function start(addRoutes: (app: Express) => void, options: Partial<ServeOptions> = {}) {
  const lines: Line[] = [];
  const stream = new PassThrough();
  stream.on('data', (data: unknown) => {
    for (const line of String(data).trim().split('\n')) lines.push(JSON.parse(line) as Line);
  });
  const logger = createLogger({ service: 'test', instance: 'test-1', stream });
  const metrics = createMetrics({ service: 'test' });
  const app = createHttpApp({ logger, metrics });
  addRoutes(app);
  useProblemHandler(app, { logger });
  const server = await serve(app, { host: '127.0.0.1', port: 0, ...options });
  servers.push(server);
  return { server, url: `http://127.0.0.1:${server.port}`, lines, metrics, logger };
}

async function waitFor<T>(find: () => T | undefined): Promise<T> {
  for (let turn = 0; turn < 500; turn += 1) {
    const found = find();
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error('It did not happen');
}

const requestLine = (lines: readonly Line[]) => waitFor(() => lines.find(({ message }) => message === 'request'));

describe('a request', () => {
  test('gets our own id, strict headers, and one log line with the template of its route', async () => {
    const { url, lines, metrics } = await start((app) => {
      app.get('/v1/things/:id', (_request, response) => {
        addLogFields(response, { thing: 7 });
        response.json({ ok: true });
      });
    });
    const answer = await fetch(`${url}/v1/things/secret-name?key=hidden`, {
      headers: { 'Sigillum-Request-Id': 'req_mine', Authorization: 'Bearer sk_test_hidden' },
    });
    const id = answer.headers.get('sigillum-request-id') ?? '';
    expect(id).toMatch(/^req_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.has('x-powered-by')).toBe(false);
    const line = await requestLine(lines);
    expect(line).toMatchObject({
      level: 'info',
      service: 'test',
      instance: 'test-1',
      request_id: id,
      method: 'GET',
      route: '/v1/things/:id',
      status: 200,
      thing: 7,
    });
    expect(line['ms']).toBeGreaterThanOrEqual(0);
    const written = JSON.stringify(lines) + (await metrics.registry.metrics());
    expect(written).not.toMatch(/secret-name|hidden|req_mine/);
    expect(written).toContain('http_request_duration_seconds_count{service="test",method="GET",route="/v1/things/:id"');
  });

  test('that breaks off is logged as 499', async () => {
    const { server, lines } = await start((app) => {
      app.get('/slow', () => undefined);
    });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await sleep(50);
    socket.destroy();
    expect(await requestLine(lines)).toMatchObject({ status: 499, route: '/slow' });
  });
});

describe('a problem', () => {
  const routes = (app: Express): void => {
    app.get('/known', () => {
      throw new SigillumError('service_overloaded', 'Too much at once.', { retryAfterSeconds: 1.2 });
    });
    app.get('/fields', () => {
      throw new SigillumError('request_invalid', 'Wrong.', { fields: [{ pointer: '/a', detail: 'Is missing' }] });
    });
    app.get('/unknown', async () => {
      await Promise.reject(new Error('the password is 1234'));
    });
    app.get('/half', (_request, response) => {
      response.write('half');
      throw new Error('too late');
    });
    app.get('/key', () => {
      throw new SigillumError('request_unauthenticated', 'No key.');
    });
    app.post('/json', express.json({ limit: 20 }), (_request, response) => {
      response.end();
    });
  };

  test('of ours is answered as its code says, with Retry-After', async () => {
    const { url, lines } = await start(routes);
    const answer = await fetch(`${url}/known`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toEqual({
      type: '/problems/service_overloaded',
      title: 'The service is overloaded',
      status: 503,
      detail: 'Too much at once.',
      code: 'service_overloaded',
      request_id: answer.headers.get('sigillum-request-id'),
    });
    expect(await requestLine(lines)).toMatchObject({ status: 503, code: 'service_overloaded' });
    const fields = (await (await fetch(`${url}/fields`)).json()) as Line;
    expect(fields['errors']).toEqual([{ pointer: '/a', detail: 'Is missing' }]);
  });

  test('of which we know nothing says nothing, but is logged with its stack', async () => {
    const { url, lines } = await start(routes);
    const answer = await fetch(`${url}/unknown`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('1234');
    const line = await waitFor(() => lines.find(({ message }) => message === 'unexpected error'));
    expect(JSON.stringify(line)).toContain('http.test.ts');
    expect(line['request_id']).toBe(answer.headers.get('sigillum-request-id'));
  });

  test('after half an answer breaks the connection', async () => {
    const { url } = await start(routes);
    await expect(fetch(`${url}/half`).then((answer) => answer.text())).rejects.toThrow();
  });

  test('is 404 where nothing is, and 405 with Allow where another method is', async () => {
    const { url, lines } = await start(routes);
    const missing = await fetch(`${url}/nothing`);
    expect([missing.status, ((await missing.json()) as Line)['code']]).toEqual([404, 'request_not_found']);
    const wrong = await fetch(`${url}/json`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    const put = await fetch(`${url}/known`, { method: 'PUT' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`${url}/%E0%A4%A`)).status).toBe(404);
    await waitFor(() => (lines.filter(({ route }) => route === 'unmatched').length === 4 ? true : undefined));
  });

  test('of a body parser has our code', async () => {
    const { url } = await start(routes);
    const post = async (body: string, type = 'application/json'): Promise<unknown> => {
      const answer = await fetch(`${url}/json`, { method: 'POST', body, headers: { 'Content-Type': type } });
      return answer.status === 200 ? 'ok' : ((await answer.json()) as Line)['code'];
    };
    expect(await post('{"a":1}')).toBe('ok');
    expect(await post('{"a":')).toBe('request_invalid');
    expect(await post(`{"a":"${'x'.repeat(30)}"}`)).toBe('request_too_large');
    expect(await post('{}', 'application/json; charset=x-none')).toBe('request_media_type_unsupported');
  });

  test('of missing credentials names a challenge (RFC 9110 §15.5.2)', async () => {
    const { url } = await start(routes);
    expect((await fetch(`${url}/key`)).headers.get('www-authenticate')).toContain('Bearer');
  });
});

describe('a listener', () => {
  test('says which port is taken', async () => {
    const { server } = await start(() => undefined);
    await expect(serve(() => undefined, { host: '127.0.0.1', port: server.port })).rejects.toEqual(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(String(server.port)) }),
    );
  });

  test('waits for a request in flight when it closes, closes idle connections and takes no new ones', async () => {
    const { server, url } = await start((app) => {
      app.get('/slow', (_request, response) => {
        setTimeout(() => response.end('done'), 300);
      });
      app.get('/fast', (_request, response) => {
        response.end('fast');
      });
    });
    const agent = new Agent({ keepAlive: true });
    const idle = httpRequest(`${url}/fast`, { agent }).end();
    const [answer] = (await once(idle, 'response')) as [NodeJS.ReadableStream];
    answer.resume();
    await once(answer, 'end');
    const slow = fetch(`${url}/slow`);
    await sleep(100);
    const started = Date.now();
    const closing = server.close(5_000);
    await expect(fetch(`${url}/fast`)).rejects.toThrow();
    expect(await (await slow).text()).toBe('done');
    await closing;
    expect(Date.now() - started).toBeLessThan(4_000);
    agent.destroy();
  });

  test('cuts what is not done after its grace', async () => {
    const { server, url } = await start((app) => {
      app.get('/never', () => undefined);
    });
    const hanging = fetch(`${url}/never`).then(
      () => 'answered',
      () => 'cut',
    );
    await sleep(50);
    await server.close(100);
    expect(await hanging).toBe('cut');
  });

  test.each([
    ['a head that does not end', { headersTimeoutMs: 300, requestTimeoutMs: 400 }, 'GET / HTTP/1.1\r\nHost:'],
    [
      'a body that does not come',
      { requestTimeoutMs: 400 },
      'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n',
    ],
    ['a head that is too large', { maxHeaderBytes: 1_000 }, `GET / HTTP/1.1\r\nA: ${'x'.repeat(5_000)}\r\n\r\n`],
  ])('ends a connection with %s', async (_name, limits, text) => {
    const { server } = await start(
      (app) => {
        app.post('/body', (request) => {
          request.resume();
        });
      },
      { limits },
    );
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += String(data)));
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 (408|431) [\s\S]*Content-Type: application\/problem\+json/);
    expect(JSON.parse(body)).toMatchObject({
      code: head.includes(' 431 ') ? 'request_head_too_large' : 'request_timeout',
    });
  });

  test.each([
    ['a head that is none', 'GET\r\n\r\n', ['request_invalid']],
    [
      'chunks that are none',
      'POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      ['request_invalid'],
    ],
    ['garbage behind a request', 'GET /now HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01', ['ok', 'request_invalid']],
    [
      'garbage behind a request that has begun its answer',
      'GET /half HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01',
      ['half'],
    ],
  ])('what is no HTTP request is a problem: %s', async (_name, text, expected) => {
    const { server } = await start((app) => {
      app.get('/now', (_request, response) => void response.end('{"code":"ok"}'));
      app.get('/half', (_request, response) => void response.write('{"code":"half"}'));
      app.post('/body', (request) => void request.resume());
    });
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += String(data)));
    const [first = '', garbage] = text.split('\x16');
    socket.write(first);
    if (garbage !== undefined) {
      await waitFor(() => (answer.includes('"code"') ? true : undefined));
      socket.write(`\x16${garbage}`);
    }
    await once(socket, 'close');
    expect([...answer.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code)).toEqual(expected);
  });

  test('pipelined requests wait for their turn, and never begin when the caller has gone', async () => {
    const begun: string[] = [];
    let answerFirst = (): void => undefined;
    const { server, lines } = await start((app) => {
      app.get('/slow/:name', (request, response) => {
        begun.push(request.params.name);
        answerFirst = () => void response.end('done');
      });
    });
    const ask = (name: string): string => `GET /slow/${name} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += String(data)));
    socket.write(ask('a') + ask('b') + ask('c'));
    await waitFor(() => (begun.length === 1 ? true : undefined));
    await sleep(50);
    expect(begun).toEqual(['a']);
    answerFirst();
    await waitFor(() => (begun.length === 2 ? true : undefined));
    socket.destroy();
    await waitFor(() => (lines.length === 2 ? true : undefined));
    expect(lines.map(({ status }) => status)).toEqual([200, 499]);
    expect(begun).toEqual(['a', 'b']);

    const flood = connect(server.port, '127.0.0.1');
    flood.on('error', () => undefined);
    flood.write(ask('x').repeat(102));
    await once(flood.resume(), 'close');
    expect(begun).toEqual(['a', 'b', 'x']);
  });

  test('takes only so many connections', async () => {
    const { server } = await start(() => undefined, { limits: { maxConnections: 1 } });
    const first = connect(server.port, '127.0.0.1');
    await once(first, 'connect');
    const second = connect(server.port, '127.0.0.1');
    second.on('error', () => undefined);
    await once(second, 'close');
    expect(first.destroyed).toBe(false);
    first.destroy();
  });
});

describe('mutual TLS', () => {
  let folder: string;
  const pem = (name: string): string => readFileSync(join(folder, name), 'utf8');

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sigillum-tls-'));
    const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    for (const name of ['root', 'stranger']) {
      openssl(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
      );
    }
    for (const [name, issuer] of [
      ['server', 'root'],
      ['client', 'root'],
      ['wrong', 'stranger'],
    ] as const) {
      openssl(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-addext',
        'basicConstraints=critical,CA:FALSE',
        '-CA',
        `${issuer}.pem`,
        '-CAkey',
        `${issuer}.key`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
      );
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const ask = (port: number, client: string | undefined, more: object = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const identity = client === undefined ? {} : { cert: pem(`${client}.pem`), key: pem(`${client}.key`) };
      const asked = tlsRequest(
        { host: '127.0.0.1', port, ca: pem('root.pem'), agent: false, ...identity, ...more },
        (answer) => {
          const { subject } = (answer.socket as TLSSocket).getPeerCertificate();
          answer.resume();
          answer.once('end', () => resolve(`${answer.statusCode} ${String(subject.CN)}`));
        },
      );
      asked.once('error', reject);
      asked.end();
    });

  const startTls = (more: Partial<ServeOptions> = {}) =>
    start((app) => void app.get('/', (_request, response) => void response.end('ok')), {
      ...more,
      tls: { certificate: pem('server.pem'), key: pem('server.key'), clientRoots: pem('root.pem') },
    });

  test('lets in who has a certificate of the root, and nobody else', async () => {
    const { server, lines } = await startTls();
    expect(await ask(server.port, 'client')).toBe('200 server');
    await expect(ask(server.port, undefined)).rejects.toThrow();
    await expect(ask(server.port, 'wrong')).rejects.toThrow();
    expect(lines.filter(({ message }) => message === 'request')).toHaveLength(1);
  });

  test('speaks TLS 1.3 only', async () => {
    const { server } = await startTls();
    await expect(ask(server.port, 'client', { maxVersion: 'TLSv1.2' })).rejects.toThrow();
  });

  test('takes a renewed certificate for new connections', async () => {
    const { server } = await startTls();
    server.replaceTls({ certificate: pem('client.pem'), key: pem('client.key'), clientRoots: pem('root.pem') });
    expect(await ask(server.port, 'client')).toBe('200 client');
  });

  test('refuses to start with a key of another certificate', async () => {
    const wrong = { certificate: pem('server.pem'), key: pem('client.key'), clientRoots: pem('root.pem') };
    await expect(start(() => undefined, { tls: wrong })).rejects.toEqual(
      expect.objectContaining({ code: 'config_invalid' }),
    );
  });

  /** The beginning of a ClientHello: a record that says it is longer. */
  const halfHello = Buffer.from('160301020001', 'hex');

  const speak = (port: number, bytes?: Uint8Array): Socket => {
    const socket = connect(port, '127.0.0.1', () => bytes && socket.write(bytes));
    socket.on('error', () => undefined);
    return socket;
  };

  /** A connection whose handshake is done on both sides. */
  const converse = async (port: number): Promise<TLSSocket> => {
    const identity = { cert: pem('client.pem'), key: pem('client.key') };
    const socket = connectTls({ port, host: '127.0.0.1', ca: pem('root.pem'), ...identity });
    socket.on('error', () => undefined);
    socket.resume();
    // The server's ticket comes after the client's last word.
    await once(socket, 'session');
    return socket;
  };

  test('ends connections that never speak, stop in the handshake, dribble, or ask nothing after it', async () => {
    const { server } = await startTls({ limits: { handshakeTimeoutMs: 400, headersTimeoutMs: 400 } });
    const mute = speak(server.port);
    const half = speak(server.port, halfHello);
    const dribbling = speak(server.port, halfHello);
    const drip = setInterval(() => dribbling.write(Buffer.of(0)), 50);
    const silent = await converse(server.port);
    // Not `once`, which takes a reset for a failure: what is still on its way to a closed connection meets one.
    const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()));
    await Promise.all([mute, half, dribbling, silent].map(closed));
    clearInterval(drip);
    expect(await ask(server.port, 'client')).toBe('200 server');
  });

  test.each([
    ['half of its connections', { maxConnections: 8 }],
    ['all of its connections', { maxConnections: 4, crowdedHandshakes: 4 }],
  ])('is open to those who speak when others hold %s without a word', async (_what, limits) => {
    // So long that only their giving way can help.
    const { server } = await startTls({ limits: { ...limits, handshakeTimeoutMs: 600_000 } });
    const mute = Array.from({ length: 20 }, (_, index) => speak(server.port, index % 2 === 0 ? halfHello : undefined));
    const deadline = Date.now() + 20_000;
    let answer = '';
    while (answer === '' && Date.now() < deadline) {
      answer = await ask(server.port, 'client').catch(() => '');
      if (answer === '') await sleep(100);
    }
    expect(answer).toBe('200 server');
    for (const socket of mute) socket.destroy();
  });

  test('ends nobody who has shown who it is, however crowded it is', async () => {
    const { server } = await startTls({ limits: { maxConnections: 100, crowdedHandshakes: 2 } });
    for (let turn = 0; turn < 4; turn += 1) {
      const socket = speak(server.port, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      socket.resume();
      await once(socket, 'close');
    }
    const open = await Promise.all(Array.from({ length: 8 }, () => converse(server.port)));
    await sleep(1_100);
    expect(await ask(server.port, 'client')).toBe('200 server');
    expect(open.filter((socket) => socket.destroyed)).toEqual([]);
    for (const socket of open) socket.destroy();
  });

  test('tells of a connection when its handshake is done', async () => {
    const names: string[] = [];
    const { server } = await startTls({
      onSecureConnection: (socket) => {
        names.push(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      },
    });
    await expect(ask(server.port, 'client')).rejects.toThrow();
    await expect(ask(server.port, 'wrong')).rejects.toThrow();
    expect(names).toEqual(['client']);
  });

  test('cuts handshakes that never end when it closes', async () => {
    const { server } = await startTls();
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await sleep(50);
    await server.close(100);
    if (!socket.closed) await once(socket, 'close');
  });
});

describe('the internal listener', () => {
  test('tells health, readiness and metrics, and nothing else', async () => {
    let ready = false;
    const metrics = createMetrics({ service: 'test' });
    const server = await serveInternal({
      listen: { host: '127.0.0.1', port: 0 },
      registry: metrics.registry,
      isReady: () => ({ ready, checks: { database: ready ? 'ok' : 'away' } }),
    });
    servers.push(server);
    const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    expect((await ask('/healthz')).status).toBe(200);
    const notReady = await ask('/readyz');
    expect([notReady.status, await notReady.json()]).toEqual([503, { ready: false, checks: { database: 'away' } }]);
    ready = true;
    expect((await ask('/readyz')).status).toBe(200);
    expect(await (await ask('/metrics')).text()).toContain('nodejs_eventloop_lag_seconds');
    expect((await ask('/else')).status).toBe(404);
    expect((await ask('/healthz', 'POST')).status).toBe(405);
  });

  test('is not ready when asking fails', async () => {
    const server = await serveInternal({
      listen: { host: '127.0.0.1', port: 0 },
      registry: createMetrics({ service: 'test' }).registry,
      isReady: () => Promise.reject(new Error('the password is 1234')),
    });
    servers.push(server);
    const answer = await fetch(`http://127.0.0.1:${server.port}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([503, { ready: false, checks: { readiness: 'error' } }]);
  });
});

describe('request ids', () => {
  test('are UUIDv7 in Crockford characters, and sort by time', () => {
    const zeros = (): Uint8Array => new Uint8Array(16);
    // Time 0, version 7, variant 10, all else zero.
    expect(createRequestId(0, zeros)).toBe('req_0000000000E008000000000000');
    expect(createRequestId(1_000) < createRequestId(1_001)).toBe(true);
  });
});
