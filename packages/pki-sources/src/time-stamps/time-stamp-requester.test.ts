import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { SigillumError } from '@sigillum/errors';
import { encodeTimeStampFailure, encodeTimeStampRequest, parseTimeStampRequest } from '@sigillum/pki';
import { TimeStampRequester, type TimeStampRequesterOptions, type TimeStampServer } from '../index.ts';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';

const pki = new OpensslPki();
const imprint = { algorithm: 'sha256', digest: new Uint8Array(createHash('sha256').update('x').digest()) } as const;
const policy = '1.2.3.4.1';
let root: OpensslCertificate;
let otherRoot: OpensslCertificate;
let ca: OpensslCertificate;
let tsu: OpensslCertificate;
const servers: Server[] = [];
const requesters: TimeStampRequester[] = [];

beforeAll(() => {
  root = pki.issue('root', { extensions: opensslExtensions.root });
  otherRoot = pki.issue('other-root', { extensions: opensslExtensions.root });
  ca = pki.issue('tsa-ca', { issuer: root, extensions: opensslExtensions.ca });
  tsu = pki.issue('tsu', { issuer: ca, extensions: opensslExtensions.tsu });
});
afterEach(async () => {
  for (const requester of requesters.splice(0)) requester.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
afterAll(() => pki.remove());

let replies = 0;

/** What `openssl ts -reply` answers. */
function reply(query: Uint8Array, signer: OpensslCertificate = tsu): Uint8Array {
  const name = `reply-${replies++}`;
  const config = pki.write(
    `${name}.cnf`,
    `[t]
serial = ${pki.write(`${name}.serial`, '0F\n')}
signer_cert = ${signer.certificateFile}
signer_key = ${signer.keyFile}
certs = ${ca.certificateFile}
signer_digest = sha256
default_policy = ${policy}
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
`,
  );
  const queryFile = pki.write(`${name}.tsq`, query);
  pki.run([
    'ts',
    '-reply',
    '-config',
    config,
    '-section',
    't',
    '-queryfile',
    queryFile,
    '-out',
    pki.path(`${name}.tsr`),
  ]);
  return new Uint8Array(readFileSync(pki.path(`${name}.tsr`)));
}

type Handler = (query: Uint8Array, response: ServerResponse, request: IncomingMessage) => void;

const answer =
  (make: (query: Uint8Array) => Uint8Array): Handler =>
  (query, response) => {
    response.setHeader('content-type', 'application/timestamp-reply');
    response.end(make(query));
  };

async function listen(
  handler: Handler,
  tls?: { cert: Uint8Array; key: Uint8Array },
): Promise<{ url: string; asked: () => number; server: Server }> {
  let asked = 0;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    asked++;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handler(new Uint8Array(Buffer.concat(chunks)), response, request));
  };
  const server = tls
    ? createTlsServer({ cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) }, onRequest)
    : createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/`, asked: () => asked, server };
}

function makeRequester(
  sources: readonly (Partial<TimeStampServer> & { url: string })[],
  more: Partial<TimeStampRequesterOptions> = {},
): { requester: TimeStampRequester; failures: SigillumError[] } {
  const failures: SigillumError[] = [];
  const requester = new TimeStampRequester({
    sources: sources.map((source, index) => ({ name: `tsa-${index}`, roots: [root.certificate], ...source })),
    timeoutMs: 5000,
    onFailure: (_server, error) => failures.push(error),
    ...more,
  });
  requesters.push(requester);
  return { requester, failures };
}

const unavailable = { code: 'tsa_unavailable', retryAfterSeconds: 5 };

describe('a requester', () => {
  test('gives the verified token of openssl ts, with nonce, certificates and the policy asked for', async () => {
    const queries: Uint8Array[] = [];
    const tsa = await listen(
      answer((query) => {
        queries.push(query);
        return reply(query);
      }),
    );
    const { requester } = makeRequester([{ url: tsa.url, policy }]);
    expect(requester.lastTokenSize).toBeUndefined();
    const token = await requester.request(imprint);
    expect(token).toMatchObject({ imprint, policy, accuracyMs: 1000, serialNumber: '10' });
    expect(token.signerCertificate).toEqual(tsu.certificate);
    expect(requester.lastTokenSize).toBe(token.der.length);
    await requester.request(imprint);
    const [first, second] = queries.map(parseTimeStampRequest);
    expect(first).toMatchObject({ certReq: true, policy });
    expect(first?.nonce).toHaveLength(16);
    expect(first?.nonce).not.toEqual(second?.nonce);
  });

  test('keeps its connection, and takes a new one when the server has closed it', async () => {
    const sockets = new Set<Socket>();
    const tsa = await listen((query, response, request) => {
      sockets.add(request.socket);
      answer(reply)(query, response, request);
    });
    const { requester, failures } = makeRequester([tsa]);
    await requester.request(imprint);
    await requester.request(imprint);
    expect(sockets.size).toBe(1);
    // From now on the kept connection ends as soon as something is sent over it.
    for (const socket of sockets) {
      socket.removeAllListeners('data');
      socket.on('data', () => socket.resetAndDestroy());
    }
    await requester.request(imprint);
    expect(sockets.size).toBe(2);
    expect(failures).toEqual([]);
  });

  test('asks the next server when one is down, refuses, or is not a TSA', async () => {
    const down = await listen(answer(reply));
    servers.splice(servers.indexOf(down.server), 1);
    await new Promise((resolve) => down.server.close(resolve));
    const refusing = await listen(answer(() => encodeTimeStampFailure('systemFailure', 'Out of order.')));
    const busy = await listen((_query, response) => response.writeHead(503).end());
    const html = await listen((_query, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    );
    const good = await listen(answer(reply));
    const { requester, failures } = makeRequester([down, refusing, busy, html, good]);
    await requester.request(imprint);
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('connection failed'),
      expect.stringContaining('systemFailure: Out of order.'),
      expect.stringContaining('HTTP 503'),
      expect.stringContaining('media type'),
    ]);
    // Those that failed are asked last for a moment: the good one is asked first now.
    await requester.request(imprint);
    expect([refusing.asked(), busy.asked(), html.asked(), good.asked()]).toEqual([1, 1, 1, 2]);
  });

  test('goes back to the first server when its moment is over and a probe found it well', async () => {
    let broken = true;
    const first = await listen((query, response, request) =>
      broken ? response.writeHead(500).end() : answer(reply)(query, response, request),
    );
    const second = await listen(answer(reply));
    let later = 0;
    const { requester } = makeRequester([first, second], {
      now: () => new Date(Date.now() + later),
      cooldownMs: 10_000,
    });
    const states = () => requester.states().map(({ state }) => state);
    await requester.request(imprint);
    broken = false;
    await requester.request(imprint);
    expect([first.asked(), second.asked()]).toEqual([1, 2]);
    expect(states()).toEqual(['cooling', 'healthy']);
    later = 11_000;
    expect(states()).toEqual(['recovering', 'healthy']);
    // The seal is served by the second while the first is probed.
    await requester.request(imprint);
    expect(second.asked()).toBe(3);
    await waitUntil(() => requester.states()[0]?.state === 'healthy');
    expect(first.asked()).toBe(2);
    await requester.request(imprint);
    expect([first.asked(), second.asked()]).toEqual([3, 3]);
  });

  test('does not let a seal wait for a server that may have recovered and has not', async () => {
    const held: ServerResponse[] = [];
    let silent = false;
    const first = await listen((_query, response) => (silent ? held.push(response) : response.writeHead(500).end()));
    const second = await listen(answer(reply));
    let later = 0;
    const { requester } = makeRequester([first, second], {
      now: () => new Date(Date.now() + later),
      cooldownMs: 10_000,
      timeoutMs: 600_000,
    });
    await requester.request(imprint);
    silent = true;
    later = 11_000;
    // With ten minutes of patience these would never end if they waited for the first.
    await Promise.all([requester.request(imprint), requester.request(imprint), requester.request(imprint)]);
    await waitUntil(() => held.length > 0);
    expect([first.asked(), second.asked()]).toEqual([2, 4]); // one probe for the three
    requester.close();
  });

  test('leaves a server that keeps failing alone longer and longer, and asks it all the same when it is the last', async () => {
    const down = await listen((_query, response) => response.writeHead(500).end());
    let later = 0;
    const { requester } = makeRequester([down], { now: () => new Date(later), cooldownMs: 1000 });
    const waits: number[] = [];
    for (let round = 0; round < 12; round++) {
      await expect(requester.request(imprint)).rejects.toMatchObject(unavailable);
      const wait = (requester.states()[0]?.until?.getTime() ?? 0) - later;
      waits.push(wait);
      later += wait;
    }
    expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(waits.at(-1)).toBe(300_000);
    expect(down.asked()).toBe(12);
  });

  test('tells the health of each server, and probes those that failed when asked to', async () => {
    let broken = true;
    const first = await listen((query, response, request) =>
      broken ? response.writeHead(503).end() : answer(reply)(query, response, request),
    );
    const liar = await listen(answer(() => Buffer.from('no')));
    const good = await listen(answer(reply));
    const { requester } = makeRequester([first, liar, good]);
    await requester.request(imprint);
    expect(requester.states()).toEqual([
      expect.objectContaining({ name: 'tsa-0', state: 'cooling', requests: 1, failures: 1, failuresInARow: 1 }),
      expect.objectContaining({
        name: 'tsa-1',
        state: 'distrusted',
        lastFailure: { at: expect.any(Date), code: 'pki_timestamp_response_invalid' },
        lastSuccess: undefined,
      }),
      expect.objectContaining({
        name: 'tsa-2',
        state: 'healthy',
        until: undefined,
        failures: 0,
        lastSuccess: expect.any(Date),
        lastMilliseconds: expect.any(Number),
      }),
    ]);
    broken = false;
    expect((await requester.probe()).map(({ state }) => state)).toEqual(['healthy', 'distrusted', 'healthy']);
    expect([first.asked(), liar.asked(), good.asked()]).toEqual([2, 1, 1]);
  });

  test('gives each server its own time, and takes a foreign one as the second', async () => {
    const silent = await listen(() => undefined);
    const foreign = await listen(answer(reply));
    const { requester, failures } = makeRequester([{ ...silent, timeoutMs: 100 }, foreign], { timeoutMs: 600_000 });
    expect((await requester.request(imprint)).policy).toBe(policy);
    expect(failures.map(({ message }) => message)).toEqual([expect.stringContaining('in time')]);
  });

  test.each(['sha256', 'sha384', 'sha512'] as const)('has a %s digest time-stamped', async (algorithm) => {
    const tsa = await listen(answer(reply));
    const { requester } = makeRequester([tsa]);
    const digest = new Uint8Array(createHash(algorithm).update('x').digest());
    expect((await requester.request({ algorithm, digest })).imprint).toEqual({ algorithm, digest });
  });

  test('shows its password or key to the server, over https whose root it was told', async () => {
    const tls = pki.issue('known-tls', { issuer: otherRoot, extensions: ['subjectAltName=IP:127.0.0.1'] });
    const key = tls.privateKey.export({ format: 'pem', type: 'pkcs8' });
    const seen: unknown[] = [];
    const tsa = await listen(
      (query, response, request) => {
        seen.push([request.headers.authorization, request.headers['x-api-key']]);
        answer(reply)(query, response, request);
      },
      { cert: readFileSync(tls.certificateFile), key: Buffer.from(key) },
    );
    const tlsRoots = [readFileSync(otherRoot.certificateFile, 'utf8')];
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    for (const authorization of [
      { kind: 'basic', user: 'seals', password: text('pä:ss\n') },
      { kind: 'header', header: 'X-Api-Key', value: text('secret\n') },
      { kind: 'header', header: 'Authorization', value: text('Bearer abc') },
    ] as const) {
      const { requester } = makeRequester([{ ...tsa, tlsRoots, authorization }]);
      await requester.request(imprint);
    }
    expect(seen).toEqual([
      [`Basic ${Buffer.from('seals:pä:ss').toString('base64')}`, undefined],
      [undefined, 'secret'],
      ['Bearer abc', undefined],
    ]);
  });

  test('refuses to be made with a secret that would travel in the open, or breaks a header', () => {
    const value = new TextEncoder().encode('hunter2');
    const make = (url: string, authorization: NonNullable<TimeStampServer['authorization']>) => () =>
      makeRequester([{ url, authorization }]);
    const wrong = expect.objectContaining({
      code: 'config_invalid',
      message: expect.not.stringContaining('hunter2'),
    });
    expect(make('http://tsa.example/', { kind: 'header', header: 'x-api-key', value })).toThrow(wrong);
    expect(make('http://192.0.2.1.example/', { kind: 'basic', user: 'u', password: value })).toThrow(wrong);
    expect(make('https://tsa.example/', { kind: 'basic', user: 'a:b', password: value })).toThrow(wrong);
    const broken = new TextEncoder().encode('hunter2\r\nx: y');
    expect(make('https://tsa.example/', { kind: 'header', header: 'x-api-key', value: broken })).toThrow(wrong);
    expect(make('https://tsa.example/', { kind: 'header', header: 'x y', value })).toThrow(wrong);
    expect(make('http://10.0.0.7/', { kind: 'basic', user: 'u', password: value })).not.toThrow();
  });

  const otherQuery = (query: Uint8Array, change: Partial<Parameters<typeof encodeTimeStampRequest>[0]>): Uint8Array =>
    encodeTimeStampRequest({ ...parseTimeStampRequest(query), ...change });
  let stored: Uint8Array | undefined;

  test.each<[string, (query: Uint8Array) => Uint8Array, Partial<TimeStampServer>, string]>([
    [
      'time-stamps something else',
      (query) => reply(otherQuery(query, { imprint: { algorithm: 'sha256', digest: new Uint8Array(32) } })),
      {},
      'something else',
    ],
    ['changes the nonce', (query) => reply(otherQuery(query, { nonce: Uint8Array.of(1, 2, 3) })), {}, 'nonce'],
    ['leaves out the nonce', (query) => reply(otherQuery(query, { nonce: undefined })), {}, 'nonce'],
    [
      'repeats a stored answer',
      (query) => (stored ??= reply(otherQuery(query, { nonce: Uint8Array.of(5) }))),
      {},
      'nonce',
    ],
    ['leaves out the certificates', (query) => reply(otherQuery(query, { certReq: false })), {}, 'missing'],
    [
      'has another policy',
      (query) => reply(otherQuery(query, { policy: undefined })),
      { policy: '1.2.3.99' },
      'policy',
    ],
    ['is below another root', reply, { roots: [] }, 'trusted root'],
    ['answers garbage', () => Buffer.from('not DER at all'), {}, 'malformed'],
    ['answers nothing', () => new Uint8Array(0), {}, 'malformed'],
    ['changes the signature', (query) => flipLast(reply(query)), {}, 'signature is wrong'],
    ['adds bytes', (query) => Buffer.concat([reply(query), Buffer.of(0)]), {}, 'malformed'],
  ])('leaves out for a while a server that %s', async (_what, make, more, message) => {
    const liar = await listen(answer(make));
    let later = 0;
    const { requester, failures } = makeRequester([{ ...liar, ...more }], {
      now: () => new Date(Date.now() + later),
      distrustMs: 30_000,
    });
    await expect(requester.request(imprint)).rejects.toMatchObject(unavailable);
    expect(failures).toHaveLength(1);
    expect(failures[0]?.message).toContain(message);
    expect(requester.isUsable).toBe(false);
    await expect(requester.request(imprint)).rejects.toMatchObject(unavailable);
    expect(liar.asked()).toBe(1);
    later = 31_000;
    expect(requester.isUsable).toBe(true);
  });

  test('refuses a token whose time is old or in the future', async () => {
    const tsa = await listen(answer(reply));
    for (const shift of [120_000, -120_000]) {
      const { requester, failures } = makeRequester([tsa], { now: () => new Date(Date.now() + shift) });
      await expect(requester.request(imprint)).rejects.toMatchObject(unavailable);
      expect(failures[0]?.message).toContain(shift > 0 ? 'past' : 'future');
    }
  });

  test('stops reading an answer that is too large, and waiting for one that never comes or comes in drops', async () => {
    const endless = await listen((_query, response) => {
      response.writeHead(200, { 'content-type': 'application/timestamp-reply' });
      const push = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
      };
      response.on('drain', push);
      push();
    });
    const silent = await listen(() => undefined);
    const dripping = await listen((_query, response) => {
      response.writeHead(200, { 'content-type': 'application/timestamp-reply' });
      const timer = setInterval(() => response.write('0'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const brokenOff = await listen((_query, response) => {
      response.writeHead(200, { 'content-type': 'application/timestamp-reply', 'content-length': '500' });
      response.write('0');
      setImmediate(() => response.destroy());
    });
    const upgrading = await listen((_query, response) => {
      response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    });
    const sources = [endless, silent, dripping, brokenOff, upgrading];
    const { requester, failures } = makeRequester(sources, { timeoutMs: 300 });
    await expect(requester.request(imprint)).rejects.toMatchObject(unavailable);
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('too large'),
      expect.stringContaining('in time'),
      expect.stringContaining('in time'),
      expect.stringContaining('broke off'),
      expect.stringContaining('another protocol'),
    ]);
  });

  test('stops at once when its caller does, and blames no server for it', async () => {
    const abort = new AbortController();
    const gone = new Error('gone');
    const tsa = await listen(() => abort.abort(gone));
    const { requester, failures } = makeRequester([tsa, tsa]);
    await expect(requester.request(imprint, abort.signal)).rejects.toBe(gone);
    await expect(requester.request(imprint, abort.signal)).rejects.toBe(gone);
    expect(failures).toEqual([]);
    expect(tsa.asked()).toBe(1);
  });

  test('does not trust an https server that it does not know', async () => {
    const tls = pki.issue('tls', { issuer: otherRoot, extensions: ['subjectAltName=IP:127.0.0.1'] });
    const key = tls.privateKey.export({ format: 'pem', type: 'pkcs8' });
    const tsa = await listen(answer(reply), { cert: readFileSync(tls.certificateFile), key: Buffer.from(key) });
    const { requester, failures } = makeRequester([tsa]);
    await expect(requester.request(imprint)).rejects.toMatchObject(unavailable);
    expect(failures[0]?.message).toContain('connection failed');
    expect(tsa.asked()).toBe(0);
  });
});

/** Ends by jest's own limit when it never comes. */
async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The last byte of the response is one of the signature's. */
function flipLast(der: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(der);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}
