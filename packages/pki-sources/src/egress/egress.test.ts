import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { isSigillumError } from '@sigillum/errors';
import { OpensslPki, opensslExtensions } from '@sigillum/testing';
import { AddressGuard, GuardedClient, type GuardedClientOptions, isPublicAddress } from '../index.ts';

const pki = new OpensslPki();
afterAll(() => pki.remove());
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(
  handler: Handler,
  tls?: { cert: Buffer; key: string },
): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const onRequest: Handler = (request, response) => {
    asked.push(request.url ?? '');
    handler(request, response);
  };
  const server: Server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

const makeClient = (ports: readonly number[], more: GuardedClientOptions = {}): GuardedClient =>
  new GuardedClient({ allowAddresses: ports.map((port) => `127.0.0.1/32:${port}`), ...more });
const get = (client: GuardedClient, url: string, maxBytes = 1000) => client.fetch({ url, method: 'GET', maxBytes });
const refused = (text = '') =>
  expect.objectContaining({ code: 'egress_refused', message: expect.stringContaining(text) });
const failed = (text: string) =>
  expect.objectContaining({ code: 'egress_failed', message: expect.stringContaining(text) });

describe('an address', () => {
  test.each([
    ['8.8.8.8', true],
    ['1.1.1.1', true],
    ['172.32.0.1', true],
    ['100.128.0.1', true],
    ['2606:4700::1111', true],
    ['64:ff9b::808:808', true],
    ['::ffff:8.8.8.8', true],
    ['0.0.0.0', false],
    ['0.1.2.3', false],
    ['10.255.255.255', false],
    ['100.64.0.1', false],
    ['127.8.9.1', false],
    ['169.254.169.254', false],
    ['172.16.0.1', false],
    ['172.31.255.255', false],
    ['192.0.0.9', false],
    ['192.0.2.1', false],
    ['192.88.99.1', false],
    ['192.168.1.1', false],
    ['198.19.0.1', false],
    ['198.51.100.7', false],
    ['203.0.113.7', false],
    ['224.0.0.1', false],
    ['239.255.255.250', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::127.0.0.1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:a9fe:a9fe', false],
    ['64:ff9b::7f00:1', false],
    ['64:ff9b::a00:1', false],
    ['64:ff9b:1::1', false],
    ['fe80::1', false],
    ['fe80::1%eth0', false],
    ['2606:4700::1111%eth0', false],
    ['fec0::1', false],
    ['fc00::1', false],
    ['fd12:3456::1', false],
    ['ff02::1', false],
    ['2001:db8::1', false],
    ['2001::1', false],
    ['2001:0:4136:e378::1', false],
    ['2002:7f00:1::1', false],
    ['3fff::1', false],
    ['100::1', false],
    ['', false],
    ['localhost', false],
    ['127.1', false],
  ])('%s is public: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});

describe('the address guard', () => {
  const guard = new AddressGuard({
    ports: [8080],
    allowAddresses: ['10.1.0.0/16', '127.0.0.1/32:8480', '[fd00::]/8:80'],
  });

  test.each([
    'http://127.0.0.1/',
    'http://2130706433/', // decimal
    'http://0x7f000001/', // hexadecimal
    'http://0177.0.0.1/', // octal
    'http://0x7f.1/', // mixed, short
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::127.0.0.1]/',
    'http://[2002:7f00:1::]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://１２７.0.0.1/', // full-width digits
    'http://10.2.0.1/',
    'http://10.1.0.1:22/',
    'http://127.0.0.1:8481/',
    'http://[fd00::1]:8080/',
    'http://8.8.8.8:25/',
    'http://name.example:22/',
    'http://user@name.example/',
    'http://user:secret@name.example/',
    'http://8.8.8.8@127.0.0.1/',
    'http://[fe80::1%25eth0]/',
    'http://[fe80::1%eth0]/',
    'ftp://name.example/',
    'file:///etc/passwd',
    'ldap://name.example/cn=x',
    'gopher://name.example/',
    'name.example',
    '',
    `http://name.example/${'x'.repeat(2048)}`,
  ])('refuses %s', (url) => {
    expect(() => guard.parseUrl(url)).toThrow(refused());
  });

  test.each([
    'http://name.example/a.crl',
    'https://name.example/',
    'http://name.example:8080/',
    // Some address of that port may be allowed; which it is shows when the name is resolved.
    'http://name.example:8480/',
    'http://8.8.8.8/',
    'http://10.1.2.3/',
    'http://127.0.0.1:8480/',
    'http://[fd00::1]/',
    'http://[::ffff:10.1.2.3]/',
  ])('lets %s pass', (url) => {
    expect(guard.parseUrl(url).protocol).toMatch(/^https?:$/);
  });

  test('refuses a configuration that it does not understand', () => {
    for (const entry of [
      '10.0.0.0',
      '10.0.0.0/33',
      '10.0.0.0/8:0',
      '10.0.0.0/8:70000',
      'localhost/8',
      'fd00::/8',
      '',
    ]) {
      expect(() => new AddressGuard({ allowAddresses: [entry] })).toThrow(
        expect.objectContaining({ code: 'config_invalid' }),
      );
    }
    expect(() => new GuardedClient({ proxy: 'https://proxy.example/' })).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    );
  });
});

describe('a guarded client', () => {
  test('gets and posts, and gives the body and its type', async () => {
    const bodies: string[] = [];
    const { port } = await listen((request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(`${request.headers['content-type']} ${chunk}`));
      request.on('end', () => response.setHeader('content-type', 'Text/Plain; charset=x').end('hello'));
    });
    const client = makeClient([port]);
    const url = `http://127.0.0.1:${port}/`;
    expect(await get(client, url)).toEqual({ body: new Uint8Array(Buffer.from('hello')), mediaType: 'text/plain' });
    const body = Buffer.from('question');
    await client.fetch({ url, method: 'POST', body, headers: { 'content-type': 'a/b' }, maxBytes: 10 });
    expect(bodies).toEqual(['a/b question']);
  });

  test('connects to nobody whose name leads to an address that is not allowed', async () => {
    const { port, asked } = await listen((_request, response) => response.end());
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '169.254.169.254', '::1']) {
      const client = new GuardedClient({ ports: [port], resolve: async () => [address] });
      await expect(get(client, `http://name.example:${port}/`)).rejects.toEqual(refused('not a public one'));
    }
    // The resolver of the system, too.
    await expect(get(new GuardedClient({ ports: [port] }), `http://localhost:${port}/`)).rejects.toEqual(refused());
    expect(asked).toEqual([]);
  });

  test('is not fooled by a name that answers a public address first and a private one later', async () => {
    const inside = await listen((_request, response) => response.end('secret'));
    const resolved: string[] = [];
    // What a rebinding server answers: good when the name is looked at, bad when it is connected to.
    const answers = [['8.8.8.8'], ['127.0.0.1']];
    const client = new GuardedClient({
      ports: [inside.port],
      timeoutMs: 300,
      resolve: async (host) => {
        resolved.push(host);
        return answers.shift() ?? ['127.0.0.1'];
      },
    });
    const url = `http://rebind.example:${inside.port}/`;
    // The name is resolved once, and what was judged is what is connected to: 8.8.8.8, which doesn't answer here.
    await expect(get(client, url)).rejects.toEqual(expect.objectContaining({ code: 'egress_failed' }));
    expect(resolved).toHaveLength(1);
    await expect(get(client, url)).rejects.toEqual(refused());
    expect(inside.asked).toEqual([]);
  });

  test('takes the allowed ones of several addresses, and the next when one is dead', async () => {
    const { port } = await listen((_request, response) => response.end('here'));
    const client = new GuardedClient({
      allowAddresses: [`127.0.0.0/8:${port}`],
      resolve: async () => ['10.0.0.1', '127.0.0.77', '127.0.0.1'],
    });
    expect(Buffer.from((await get(client, `http://name.example:${port}/`)).body).toString()).toBe('here');
  });

  test('follows one redirect, looks at it again, and no second', async () => {
    const { port, asked } = await listen((request, response) => {
      const to = {
        '/one': '/end',
        '/two': '/one',
        '/loop': '/loop',
        '/in': 'http://127.0.0.1:22/',
        '/odd': 'http://[',
      }[request.url ?? ''];
      if (to) response.writeHead(302, { location: to });
      response.end('end');
    });
    const client = makeClient([port]);
    const base = `http://127.0.0.1:${port}`;
    expect((await get(client, `${base}/one`)).body).toHaveLength(3);
    await expect(get(client, `${base}/two`)).rejects.toEqual(failed('more than once'));
    await expect(get(client, `${base}/loop`)).rejects.toEqual(failed('more than once'));
    await expect(get(client, `${base}/in`)).rejects.toEqual(refused('port 22'));
    await expect(get(client, `${base}/odd`)).rejects.toEqual(failed('nowhere'));
    const post = client.fetch({ url: `${base}/one`, method: 'POST', body: Buffer.from('x'), maxBytes: 10 });
    await expect(post).rejects.toEqual(failed('what was posted'));
    expect(asked).toEqual(['/one', '/end', '/two', '/one', '/loop', '/loop', '/in', '/odd', '/one']);
  });

  test('gives up on what is too large, endless, slow, compressed, broken off or no HTTP', async () => {
    const raw = createTcpServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('SSH-2.0-server\r\n', () => socket.destroy());
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => raw.close(resolve)));
    const { port } = await listen((request, response) => {
      const path = request.url ?? '';
      if (path === '/announced') response.writeHead(200, { 'content-length': '1001' }).flushHeaders();
      if (path === '/endless') {
        const push = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        };
        response.on('drain', push);
        push();
      } else if (path === '/drip') {
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      } else if (path === '/headers') {
        response.socket?.write('HTTP/1.1 200 OK\r\n');
      } else if (path === '/gzip') {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
      } else if (path === '/broken') {
        response.writeHead(200, { 'content-length': '500' }).write('x');
        setImmediate(() => response.destroy());
      } else if (path === '/missing') {
        response.writeHead(404).end();
      } else if (path === '/other-protocol') {
        response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
      } else if (path === '/long-header') {
        response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end();
      }
    });
    const client = makeClient([port, (raw.address() as AddressInfo).port], { timeoutMs: 400 });
    for (const [path, text] of [
      ['announced', 'more than 1000 bytes'],
      ['endless', 'more than 1000 bytes'],
      ['drip', 'in time'],
      ['headers', 'in time'],
      ['silent', 'in time'],
      ['gzip', 'compressed'],
      ['broken', 'broke off'],
      ['missing', 'HTTP 404'],
      ['other-protocol', 'another protocol'],
      ['long-header', 'connection failed'],
    ] as const) {
      await expect(get(client, `http://127.0.0.1:${port}/${path}`)).rejects.toEqual(failed(text));
    }
    const address = raw.address() as AddressInfo;
    await expect(get(client, `http://127.0.0.1:${address.port}/`)).rejects.toEqual(failed('connection failed'));
  });

  test('has four exchanges with one host at a time, and lets the others wait in order', async () => {
    const open: ServerResponse[] = [];
    const { port, asked } = await listen((_request, response) => open.push(response));
    const client = makeClient([port], { timeoutMs: 60_000 });
    const all = Array.from({ length: 7 }, (_, index) => get(client, `http://127.0.0.1:${port}/${index}`));
    await waitUntil(() => open.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(asked).toHaveLength(4);
    for (let index = 0; index < 7; index++) {
      await waitUntil(() => open.length > index);
      open[index]?.end();
    }
    await Promise.all(all);
    expect(asked.toSorted()).toEqual(['/0', '/1', '/2', '/3', '/4', '/5', '/6']);
    // Too many waiting are turned away at once, and what is given up makes room.
    const abort = new AbortController();
    const many = Array.from({ length: 70 }, (_, index) =>
      client.fetch({ url: `http://127.0.0.1:${port}/${index}`, method: 'GET', maxBytes: 9, signal: abort.signal }),
    );
    const outcomes = Promise.allSettled(many);
    await waitUntil(() => open.length === 11);
    abort.abort(new Error('gone'));
    const reasons = (await outcomes).flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(reasons.filter((reason) => isSigillumError(reason, 'egress_failed'))).toHaveLength(2);
    expect(reasons.filter((reason) => !isSigillumError(reason))).toHaveLength(68);
  });

  test('speaks https with those whose name and root are right, and with no others', async () => {
    const root = pki.issue('root', { extensions: opensslExtensions.root });
    const issue = (name: string, san: string) => {
      const made = pki.issue(name, { issuer: root, extensions: [`subjectAltName=${san}`] });
      return { cert: readFileSync(made.certificateFile), key: readFileSync(made.keyFile, 'utf8') };
    };
    const right = await listen((_request, response) => response.end('right'), issue('right', 'DNS:name.example'));
    const wrong = await listen((_request, response) => response.end('wrong'), issue('wrong', 'DNS:other.example'));
    const resolve = async () => ['127.0.0.1'];
    const tlsRoots = [readFileSync(root.certificateFile, 'utf8')];
    const ports = [right.port, wrong.port];
    const client = makeClient(ports, { resolve, tlsRoots });
    expect(Buffer.from((await get(client, `https://name.example:${right.port}/`)).body).toString()).toBe('right');
    await expect(get(client, `https://name.example:${wrong.port}/`)).rejects.toEqual(failed('connection failed'));
    const stranger = makeClient(ports, { resolve });
    await expect(get(stranger, `https://name.example:${right.port}/`)).rejects.toEqual(failed('connection failed'));
    expect(wrong.asked).toEqual([]);
  });

  test('goes through an egress proxy, which resolves the names, by absolute URL and by CONNECT', async () => {
    const root = pki.issue('proxy-root', { extensions: opensslExtensions.root });
    const made = pki.issue('behind', { issuer: root, extensions: ['subjectAltName=DNS:name.example'] });
    const tls = { cert: readFileSync(made.certificateFile), key: readFileSync(made.keyFile, 'utf8') };
    const behind = await listen((_request, response) => response.end('tunnel'), tls);
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host}`);
      response.end('by proxy');
    });
    const tunnels: Socket[] = [];
    proxy.on('connect', (request: IncomingMessage, client: Socket) => {
      seen.push(`CONNECT ${request.url}`);
      if (request.url?.startsWith('closed')) {
        client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        return;
      }
      const upstream = connect(behind.port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
      tunnels.push(client, upstream);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    closers.push(async () => {
      for (const socket of tunnels) socket.destroy();
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    });
    const client = new GuardedClient({
      proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      tlsRoots: [readFileSync(root.certificateFile, 'utf8')],
      resolve: () => Promise.reject(new Error('nobody resolves here')),
    });
    expect(Buffer.from((await get(client, 'http://name.example/a?b')).body).toString()).toBe('by proxy');
    expect(Buffer.from((await get(client, 'https://name.example/')).body).toString()).toBe('tunnel');
    await expect(get(client, 'https://closed.example/')).rejects.toEqual(failed('HTTP 403'));
    await expect(get(client, 'http://127.0.0.1/')).rejects.toEqual(refused());
    expect(seen).toEqual([
      'GET http://name.example:80/a?b name.example',
      'CONNECT name.example:443',
      'CONNECT closed.example:443',
    ]);
  });

  test('ends at once when its caller does', async () => {
    const abort = new AbortController();
    const gone = new Error('gone');
    const { port } = await listen(() => abort.abort(gone));
    const client = makeClient([port], { timeoutMs: 600_000 });
    const request = { url: `http://127.0.0.1:${port}/`, method: 'GET', maxBytes: 10, signal: abort.signal } as const;
    await expect(client.fetch(request)).rejects.toBe(gone);
    await expect(client.fetch(request)).rejects.toBe(gone);
  });
});

/** Ends by jest's own limit when it never comes. */
async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
