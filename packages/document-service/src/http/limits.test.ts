import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createUuid } from '@sigillum/store';
import { makeSamplePdf } from '@sigillum/testing';
import { TestService } from '../../test/test-service.ts';
import { Places } from '../sealing/places.ts';
import { createRateLimiter } from './rate-limiter.ts';

const service = new TestService();
const pdf = Buffer.from(makeSamplePdf());
let key: string;

beforeAll(async () => {
  await service.start();
  key = await service.provision('Sandbox');
});
afterAll(() => service.stop());

const seal = (body: Buffer = pdf, by = key) =>
  fetch(`${service.url}/v1/seals`, {
    method: 'POST',
    body,
    headers: { Authorization: `Bearer ${by}`, 'Content-Type': 'application/pdf' },
  });

const status = (by = key, path = '/v1/seals') =>
  fetch(service.url + path, { headers: { Authorization: `Bearer ${by}` } });

describe('calls of an API key', () => {
  test.each(['memory', 'database'] as const)('are counted in %s, told and bounded', async (store) => {
    const { db } = service.services;
    await service.open({ rateLimiter: createRateLimiter({ requests: 3, per_s: 60, store }, db) });
    const mine = await service.provision(`Mine ${store}`, 'test', ['p256']);
    const left: (string | null)[] = [];
    for (let index = 0; index < 3; index += 1) {
      const answer = await status(mine);
      left.push(answer.headers.get('ratelimit-remaining'));
      expect([answer.status, answer.headers.get('ratelimit-limit')]).toEqual([200, '3']);
    }
    expect(left).toEqual(['2', '1', '0']);
    const refused = await status(mine);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([429, 'request_rate_limited']);
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    // Another key has its own count, and who has none isn't counted.
    expect((await status(await service.provision(`Other ${store}`, 'test', ['p256']))).status).toBe(200);
    for (let index = 0; index < 5; index += 1) expect((await fetch(`${service.url}/v1/status`)).status).toBe(200);
    await service.open();
  });

  test('hold their share of places and leave the others theirs', () => {
    const places = new Places(4, 3);
    const [mine, other] = [createUuid(), createUuid()];
    const leave = [places.take(mine), places.take(mine), places.take(mine)];
    expect(() => places.take(mine)).toThrow(expect.objectContaining({ code: 'request_rate_limited' }));
    places.take(other);
    expect(() => places.take(other)).toThrow(expect.objectContaining({ code: 'service_overloaded' }));
    leave[0]?.();
    leave[0]?.();
    expect(places.taken).toBe(3);
    places.take(mine);
  });
});

describe('a slow caller', () => {
  test('who sends a byte now and then is given up, in a form and with a digest too', async () => {
    for (const [path, type] of [
      ['/v1/seals', 'application/pdf'],
      ['/v1/seals', 'multipart/form-data; boundary=x'],
      ['/v1/seals/digest', 'application/json'],
      ['/v1/seals/seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB/document-time-stamp', 'application/json'],
    ] as const) {
      const answer = await new Promise<number | undefined>((resolve, reject) => {
        const call = httpRequest(service.url + path, {
          method: 'POST',
          headers: { Authorization: `Bearer ${key}`, 'Content-Type': type, 'Content-Length': '10000' },
        });
        const drip = setInterval(() => call.write('x'), 100);
        call.on('response', (response) => {
          clearInterval(drip);
          resolve(response.statusCode);
          call.destroy();
        });
        call.on('error', reject);
      });
      expect(answer).toBe(408);
    }
    await service.services.places.whenFree();
  });

  test('who reads nothing loses the connection and gives the place back', async () => {
    const large = Buffer.from(makeSamplePdf('classic', { padding: 5_500_000 }));
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.pause();
    socket.write(
      `POST /v1/seals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/pdf\r\nContent-Length: ${large.length}\r\n\r\n`,
    );
    socket.write(large);
    while (service.services.places.taken === 0) await sleep(10);
    await service.services.places.whenFree();
    socket.destroy();
    expect((await seal()).status).toBe(201);
  }, 30_000);
});

describe('a request', () => {
  test('is for exactly one path', async () => {
    for (const path of ['/v1/seals/', '/V1/seals', '/v1//seals', '/docs/']) {
      expect((await status(key, path)).status).toBe(404);
    }
  });

  test('with an expectation that nobody can meet is told so', async () => {
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const call = httpRequest(`${service.url}/v1/status`, { headers: { Expect: 'miracles' } }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode, body }));
      });
      call.on('error', reject);
      call.end();
    });
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([417, 'request_expectation_failed']);
  });

  test('with text that is no Unicode is refused with its place', async () => {
    const body = `{"document":"${pdf.toString('base64')}","options":{"reason":"\\ud800","credential":"\\udfff"}}`;
    const answer = await fetch(`${service.url}/v1/seals`, {
      method: 'POST',
      body,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    });
    const problem = (await answer.json()) as { errors: { pointer: string }[] };
    expect([answer.status, problem.errors.map(({ pointer }) => pointer)]).toEqual([
      400,
      ['/body/options/credential', '/body/options/reason'],
    ]);
  });
});

describe('a form', () => {
  const part = (name: string, content: Buffer | string, more = ''): Buffer =>
    Buffer.concat([
      Buffer.from(`--x\r\n${more}Content-Disposition: form-data; name="${name}"\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]);
  const send = async (...parts: readonly Buffer[]) => {
    const answer = await fetch(`${service.url}/v1/seals`, {
      method: 'POST',
      body: Buffer.concat([...parts, Buffer.from('--x--\r\n')]),
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'multipart/form-data; boundary=x' },
    });
    if (answer.status === 201) return [201];
    const problem = (await answer.json()) as { errors: { pointer: string; detail: string }[] };
    return [answer.status, ...problem.errors.flatMap(({ pointer, detail }) => [pointer, detail])];
  };

  test('has its options in UTF-8', async () => {
    const options = '{"reason":"Größe"}';
    expect(await send(part('options', options), part('file', pdf))).toEqual([201]);
    const latin1 = Buffer.from(options, 'latin1');
    expect(await send(part('options', latin1), part('file', pdf))).toEqual([400, '/body/options', 'Must be UTF-8.']);
  });

  test('has heads that are read whole: many lines are, and more than fit are refused', async () => {
    const lines = Array.from({ length: 40 }, (_, index) => `X-Line-${index}: x\r\n`).join('');
    expect(await send(part('options', '{}', lines), part('file', pdf, lines))).toEqual([201]);
    const detail = 'May have at most 16384 bytes of delimiters and heads around its parts.';
    for (const more of [`X-Long: ${'x'.repeat(200_000)}\r\n`, 'a:\r\n'.repeat(5000)]) {
      expect(await send(part('file', pdf, more))).toEqual([400, '/body', detail]);
    }
    const late = Buffer.from(`--x\r\nContent-Disposition: form-data; name="file"\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`);
    expect(await send(late, pdf, Buffer.from('\r\n'))).toEqual([400, '/body', detail]);
  });
});

test('JSON in another charset is refused by its media type', async () => {
  const send = async (charset: string) => {
    const answer = await fetch(`${service.url}/v1/seals`, {
      method: 'POST',
      body: JSON.stringify({ document: pdf.toString('base64') }),
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': `application/json; charset=${charset}` },
    });
    return answer.status;
  };
  expect([await send('UTF-8'), await send('"utf-8"'), await send('utf-16')]).toEqual([201, 201, 415]);
});

test('a problem found while preparing points to the option where it stood', async () => {
  const authorization = { Authorization: `Bearer ${key}` };
  const inBody = await fetch(`${service.url}/v1/seals`, {
    method: 'POST',
    body: JSON.stringify({ document: pdf.toString('base64'), options: { field: 'a.b..c' } }),
    headers: { ...authorization, 'Content-Type': 'application/json' },
  });
  const inQuery = await fetch(`${service.url}/v1/seals?field=a.b..c`, {
    method: 'POST',
    body: pdf,
    headers: { ...authorization, 'Content-Type': 'application/pdf' },
  });
  for (const [answer, pointer] of [
    [inBody, '/body/options/field'],
    [inQuery, '/query/field'],
  ] as const) {
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: 'pades_option_invalid', errors: [{ pointer }] });
  }
});

// Needs the right to mount; elsewhere the errors themselves are tested in the store.
const small = mkdtempSync(join(tmpdir(), 'sigillum-small-disk-'));
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status === 0;
afterAll(() => {
  if (isMounted) spawnSync('umount', [small]);
  rmSync(small, { recursive: true, force: true });
});

describe('a full disk', () => {
  (isMounted ? test : test.skip)('is 503 with a time to come back, and nothing stays', async () => {
    await service.open({ spoolDirectory: small });
    const answer = await seal(Buffer.from(makeSamplePdf('classic', { padding: 3_000_000 })));
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'storage_full']);
    expect(answer.headers.get('retry-after')).toBe('30');
    expect((await seal()).status).toBe(201);
    await service.open();
  });
});
