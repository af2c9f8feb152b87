import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { makeSamplePdf } from '@sigillum/testing';
import { TestService } from '../../document-service/test/test-service.ts';
import { SigillumClient } from './index.ts';

const service = new TestService();
const pdf = makeSamplePdf();
let client: SigillumClient;

beforeAll(async () => {
  await service.start();
  client = new SigillumClient({ url: service.url, apiKey: await service.provision('Sandbox') });
});
afterAll(() => service.stop());

describe('against the service', () => {
  test('seals bytes, and finds the seal in the journal', async () => {
    const sealed = await client.seal(pdf, { credential: 'p384', reason: 'Però è così', contactInfo: 'a@b.it' });
    const bytes = await sealed.bytes();
    expect(Buffer.from(bytes.subarray(0, pdf.length)).equals(pdf)).toBe(true);
    expect(bytes).toHaveLength(sealed.size);
    const record = await client.getSeal(sealed.sealId);
    expect(record).toMatchObject({ status: 'completed', credential: { name: 'p384' }, request_id: sealed.requestId });
    expect((await client.listSeals({ limit: 1, status: 'completed' })).data[0]?.id).toBe(sealed.sealId);
  });

  test('streams a document larger than one piece in both directions', async () => {
    const large = makeSamplePdf('classic', { padding: 3_000_000 });
    async function* pieces() {
      for (let offset = 0; offset < large.length; offset += 65_536) yield large.subarray(offset, offset + 65_536);
    }
    const sealed = await client.seal(pieces());
    let count = 0;
    const received: Uint8Array[] = [];
    for await (const piece of sealed.stream()) {
      count += 1;
      received.push(piece);
    }
    expect(count).toBeGreaterThan(5);
    expect(Buffer.concat(received).subarray(0, large.length).equals(large)).toBe(true);
  });

  test('an idempotency key gives the same document again', async () => {
    const idempotencyKey = randomUUID();
    const [first, second] = [await client.seal(pdf, { idempotencyKey }), await client.seal(pdf, { idempotencyKey })];
    expect([first.replayed, second.replayed]).toEqual([false, true]);
    expect(Buffer.from(await second.bytes()).equals(await first.bytes())).toBe(true);
  });

  test('a refusal has its code, its fields and the request id', async () => {
    const refusal = client.seal(pdf, { credential: 'nobody' });
    await expect(refusal).rejects.toMatchObject({
      name: 'SigillumApiError',
      code: 'credential_not_found',
      status: 404,
      requestId: expect.stringMatching(/^req_/),
      problem: { errors: [{ pointer: '/query/credential' }] },
    });
    await expect(client.getSeal('../status')).rejects.toMatchObject({ code: 'seal_not_found' });
    const stranger = new SigillumClient({ url: service.url });
    await expect(stranger.listSeals()).rejects.toMatchObject({ code: 'request_unauthenticated', status: 401 });
  });

  test('lists credentials page by page, and knows the status without a key', async () => {
    const first = await client.listCredentials({ limit: 3 });
    const second = await client.listCredentials({ limit: 3, cursor: first.next_cursor ?? '' });
    expect([...first.data, ...second.data].map(({ name }) => name)).toEqual([
      'p256',
      'p384',
      'rsa-pss-3072',
      'rsa-2048',
    ]);
    expect(second.next_cursor).toBeNull();
    expect((await client.getCredential('p256')).default).toBe(true);
    expect((await new SigillumClient({ url: service.url }).status()).components).toHaveLength(3);
  });
});

describe('against something else', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  const answer = async (listener: RequestListener) => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const address = server.address();
    return new SigillumClient({
      url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
      apiKey: 'k',
    });
  };
  const head = { 'Sigillum-Seal-Id': 'seal_X', 'Content-Length': '100' };

  test('a document that ends early is an error and never taken for whole', async () => {
    const cut = await answer((request, response) => {
      request.resume();
      response.writeHead(201, head).write('half');
      setTimeout(() => response.destroy(), 20);
    });
    await expect((await cut.seal(pdf)).bytes()).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  test('a page of a proxy, a redirect, an empty success and nobody at all are service_unavailable', async () => {
    const answers: RequestListener[] = [
      (_request, response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad gateway</h1>'),
      (_request, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end(),
      (_request, response) => response.writeHead(200).end('fine'),
    ];
    for (const listener of answers) {
      const other = await answer((request, response) => {
        request.resume();
        listener(request, response);
      });
      await expect(other.seal(pdf)).rejects.toMatchObject({ code: 'service_unavailable' });
    }
    const nobody = new SigillumClient({ url: 'http://127.0.0.1:9', apiKey: 'k' });
    await expect(nobody.status()).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  test('an abort is the reason that was given', async () => {
    const slow = await answer((request) => request.resume());
    const abort = new AbortController();
    const running = slow.seal(pdf, { signal: abort.signal });
    abort.abort(new RangeError('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});
