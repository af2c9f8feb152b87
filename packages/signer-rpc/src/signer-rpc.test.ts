import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { listUriNames } from './server-identity.ts';
import { SignerClient } from './signer-client.ts';
import { keysAnswerSchema, signDigestsRequestSchema } from './wire.ts';

let directory = '';
const pem = (name: string): string => readFileSync(join(directory, name), 'utf8');

function makeCertificate(name: string, names: string, usage: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  if (name === 'root') {
    openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=root', '-out', 'root.pem');
    return;
  }
  writeFileSync(join(directory, `${name}.ext`), `subjectAltName=${names}\nextendedKeyUsage=${usage}\n`);
  openssl('req', '-new', ...key, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
  const issuer = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...issuer, '-extfile', `${name}.ext`, '-out', `${name}.pem`);
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'signer-rpc-test-'));
  const signer = 'URI:spiffe://sigillum.internal/hash-signer';
  makeCertificate('root', '', '');
  makeCertificate('server', `DNS:localhost,IP:127.0.0.1,${signer}`, 'serverAuth');
  makeCertificate('elsewhere', `DNS:elsewhere.example,${signer}`, 'serverAuth');
  makeCertificate('other', 'IP:127.0.0.1,URI:spiffe://sigillum.internal/tsa', 'serverAuth');
  makeCertificate('both', `IP:127.0.0.1,URI:spiffe://sigillum.internal/tsa,${signer}`, 'serverAuth');
  makeCertificate('client', 'URI:spiffe://sigillum.internal/document-service', 'clientAuth');
  makeCertificate('renewed', 'URI:spiffe://sigillum.internal/document-service', 'clientAuth');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const running: { server: Server; client?: SignerClient }[] = [];

afterEach(async () => {
  for (const { server, client } of running.splice(0)) {
    client?.close();
    server.closeAllConnections();
    if (server.listening) await new Promise((done) => server.close(done));
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function start(handler: Handler, options: ServerOptions = {}, port = 0) {
  const certificate = { cert: pem('server.pem'), key: pem('server.key') };
  const mutual = { ca: pem('root.pem'), requestCert: true, rejectUnauthorized: true };
  const seen: string[] = [];
  const server = createServer({ ...certificate, ...mutual, ...options }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url}`);
      handler(request, response, Buffer.concat(chunks).toString());
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const client = connect(address.port);
  running.push({ server, client });
  return { client, server, seen, port: address.port };
}

const connect = (port: number): SignerClient =>
  new SignerClient({
    url: `https://127.0.0.1:${port}`,
    certificate: pem('client.pem'),
    key: pem('client.key'),
    roots: pem('root.pem'),
  });

const sign = (client: SignerClient, timeoutMs = 5000, count = 1) =>
  client.signDigests({
    requestId: 'request_1',
    timeoutMs,
    keyId: 'ab'.repeat(16),
    algorithm: 'ecdsa-p256-sha256',
    digests: Array.from({ length: count }, (_, index) => ({ digest: Buffer.alloc(32, index), context: {} })),
  });

const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

describe('the client', () => {
  test('sends the contract and returns bytes and codes in order', async () => {
    const bodies: string[] = [];
    const { client, seen } = await start((_request, response, body) => {
      bodies.push(body);
      response.end(
        JSON.stringify({ results: [{ signature: 'AQID' }, { code: 'signer_timeout' }, { code: 'what' }], more: 1 }),
      );
    });
    expect(await sign(client, 5000, 3)).toEqual([
      { signature: Uint8Array.of(1, 2, 3) },
      { code: 'signer_timeout' },
      { code: 'signer_operation_failed' },
    ]);
    expect(seen).toEqual(['POST /v1/signDigests']);
    const sent = signDigestsRequestSchema.parse(JSON.parse(bodies[0] ?? ''));
    expect(sent).toMatchObject({ request_id: 'request_1', key_id: 'ab'.repeat(16), algorithm: 'ecdsa-p256-sha256' });
    expect(sent.digests.map(({ digest }) => Buffer.from(digest, 'base64')[0])).toEqual([0, 1, 2]);
    expect(sent.timeout_ms).toBeLessThanOrEqual(5000);
    expect(sent.timeout_ms).toBeGreaterThan(4000);
  });

  test('keeps its connection', async () => {
    const { client, server } = await start(answer(200, { keys: [] }));
    let connections = 0;
    server.on('secureConnection', () => (connections += 1));
    for (let round = 0; round < 5; round += 1) await client.keys();
    expect(connections).toBe(1);
  });

  test('shows a renewed certificate from then on, ends what is under way on the old one, and keeps no connection of that', async () => {
    const seen: string[] = [];
    const open = new Set<TLSSocket>();
    const { promise: goOn, resolve: release } = Promise.withResolvers<void>();
    const { client, server } = await start((request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      void (request.url === '/v1/keys' ? goOn : Promise.resolve()).then(() =>
        answer(200, { keys: [] })(request, response, ''),
      );
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    });
    const waiting = client.keys();
    // A second connection of the old certificate, idle by the time of the renewal.
    await client.health().catch(() => undefined);
    expect(open.size).toBe(2);
    client.replaceTls({ certificate: pem('renewed.pem'), key: pem('renewed.key'), roots: pem('root.pem') });
    await client.health().catch(() => undefined);
    await client.health().catch(() => undefined);
    release();
    expect(await waiting).toEqual([]);
    expect(seen).toEqual(['client', 'client', 'renewed', 'renewed']);
    while (open.size > 1) await sleep(10);
    client.replaceTls({ certificate: pem('client.pem'), key: pem('client.key'), roots: pem('elsewhere.pem') });
    await expect(client.keys()).rejects.toMatchObject({ code: 'signer_unavailable' });
  });

  test.each([
    [503, 'busy', 'signer_overloaded'],
    [504, '', 'signer_timeout'],
    [500, 'oops', 'signer_answer_invalid'],
    [200, '{', 'signer_answer_invalid'],
    [200, { results: [] }, 'signer_answer_invalid'],
    [200, { results: [{ signature: '***' }] }, 'signer_answer_invalid'],
    [200, { results: [{ signature: 'AQID' }, { signature: 'AQID' }] }, 'signer_answer_invalid'],
    [200, 'x'.repeat(1_100_000), 'signer_answer_invalid'],
    [403, { code: 'signer_key_forbidden' }, 'signer_key_forbidden'],
    [503, { code: 'signer_audit_unavailable' }, 'signer_audit_unavailable'],
    [418, { code: 'a_code_of_the_future' }, 'signer_answer_invalid'],
  ])('maps an answer of %i to a code (case %#)', async (status, body, code) => {
    const { client } = await start(answer(status, body));
    await expect(sign(client)).rejects.toMatchObject({ code });
  });

  test('hands on Retry-After', async () => {
    const { client } = await start(answer(503, { code: 'signer_overloaded' }, { 'retry-after': '7' }));
    await expect(sign(client)).rejects.toMatchObject({ code: 'signer_overloaded', retryAfterSeconds: 7 });
  });

  test('ends its wait by itself', async () => {
    const { client, seen } = await start(() => undefined);
    await expect(sign(client, 1)).rejects.toMatchObject({ code: 'signer_timeout' });
    expect(seen).toHaveLength(1);
  });

  test('never sends a signing request twice when the connection breaks', async () => {
    const { client, seen } = await start((request) => request.socket.destroy());
    await expect(sign(client)).rejects.toMatchObject({ code: 'signer_unavailable' });
    expect(seen).toHaveLength(1);
  });

  test('tries again while nobody listens, and gives up in the end', async () => {
    const { client, server, port } = await start(answer(200, { results: [{ signature: 'AQID' }] }));
    await new Promise((done) => server.close(done));
    await expect(sign(client)).rejects.toMatchObject({ code: 'signer_unavailable' });
    const call = sign(client);
    await sleep(20);
    await start(answer(200, { results: [{ signature: 'AQID' }] }), {}, port);
    expect(await call).toHaveLength(1);
  });

  test.each(['elsewhere', 'other', 'both'])('does not talk to a server with the certificate "%s"', async (name) => {
    const { client, seen } = await start(answer(200, { keys: [] }), {
      cert: pem(`${name}.pem`),
      key: pem(`${name}.key`),
    });
    await expect(client.keys()).rejects.toMatchObject({ code: 'signer_unavailable' });
    expect(seen).toEqual([]);
  });

  test('does not talk TLS 1.2', async () => {
    const { client } = await start(answer(200, { keys: [] }), { maxVersion: 'TLSv1.2' });
    await expect(client.keys()).rejects.toMatchObject({ code: 'signer_unavailable' });
  });
});

describe('the schemas', () => {
  const valid = {
    request_id: 'r-1',
    timeout_ms: 1000,
    key_id: '0'.repeat(32),
    algorithm: 'rsassa-pss-sha256',
    digests: [{ digest: Buffer.alloc(32).toString('base64'), context: {} }],
  };
  const accepts = (changes: object): boolean => signDigestsRequestSchema.safeParse({ ...valid, ...changes }).success;
  const acceptsDigest = (digest: string, context: object = {}): boolean => accepts({ digests: [{ digest, context }] });
  const digest = valid.digests[0]?.digest ?? '';

  test('take what the contract says', () => {
    expect(accepts({})).toBe(true);
    const context = {
      organisation: 'org_1',
      seal_id: 'seal_1',
      document_sha256: 'ab'.repeat(32),
      purpose_detail: 'invoice run 7',
      authorization: 'x'.repeat(2048),
    };
    expect(acceptsDigest(digest, context)).toBe(true);
  });

  test.each([
    ['an unknown field', { extra: 1 }],
    ['no id', { request_id: '' }],
    ['an id with a line end', { request_id: 'a\n' }],
    ['a long id', { request_id: 'a'.repeat(65) }],
    ['no time', { timeout_ms: 0 }],
    ['half a millisecond', { timeout_ms: 1.5 }],
    ['more than a minute', { timeout_ms: 60_001 }],
    ['an upper-case key id', { key_id: 'A'.repeat(32) }],
    ['a short key id', { key_id: '0'.repeat(31) }],
    ['an unknown algorithm', { algorithm: 'rsa-sha1' }],
    ['no digests', { digests: [] }],
    ['101 digests', { digests: Array(101).fill(valid.digests[0]) }],
    ['a digest without context', { digests: [{ digest }] }],
  ])('refuse %s', (_name, changes) => {
    expect(accepts(changes)).toBe(false);
  });

  test.each([
    ['base64url', '_-8='],
    ['no padding', 'AQI'],
    ['blanks', 'AQ ID'],
    ['a second spelling of the same bytes', 'AQJ='],
    ['nothing', ''],
    ['more than 64 bytes', Buffer.alloc(67).toString('base64')],
  ])('refuse a digest in %s', (_name, text) => {
    expect(acceptsDigest(text)).toBe(false);
  });

  test.each([
    ['an unknown field', { user: 'x' }],
    ['a long organisation', { organisation: 'x'.repeat(65) }],
    ['a document hash in upper case', { document_sha256: 'AB'.repeat(32) }],
    ['a detail with a line end', { purpose_detail: 'a\nb' }],
    ['a long authorization', { authorization: 'x'.repeat(2049) }],
  ])('refuse a context with %s', (_name, context) => {
    expect(acceptsDigest(digest, context)).toBe(false);
  });

  test('ignore what a later daemon adds to its answers', () => {
    expect(keysAnswerSchema.safeParse({ keys: [], more: true }).success).toBe(true);
  });
});

describe('URI names of a certificate', () => {
  test('are read entry by entry, quoted values never match', () => {
    expect(listUriNames('DNS:a, URI:spiffe://x/y, IP Address:127.0.0.1')).toEqual(['spiffe://x/y']);
    expect(listUriNames(undefined)).toEqual([]);
    expect(listUriNames('URI:"spiffe://x/y"')).toEqual(['"spiffe://x/y"']);
  });
});
