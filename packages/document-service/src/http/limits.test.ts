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
  test('who sends a byte now and then is given up, in a form too', async () => {
    for (const type of ['application/pdf', 'multipart/form-data; boundary=x']) {
      const answer = await new Promise<number | undefined>((resolve, reject) => {
        const call = httpRequest(`${service.url}/v1/seals`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${key}`, 'Content-Type': type, 'Content-Length': '100000' },
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
