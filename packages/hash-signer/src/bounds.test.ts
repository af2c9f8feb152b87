import { EventEmitter } from 'node:events';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CircuitBreaker } from './circuit-breaker.ts';
import { encodeFrame, encodeJsonFrame, FrameReader, frameTypes } from './frame.ts';
import { OperationWatchdog } from './operation-watchdog.ts';
import { PendingWork } from './pending-work.ts';
import { Quarantine } from './quarantine.ts';
import { RateLimits } from './rate-limits.ts';
import type { ServedKey } from './served-keys.ts';
import { encodeFailed, encodeSigned } from './signer-messages.ts';
import { type SignerExit, SignerProcess } from './signer-process.ts';
import type { SpawnedSigner } from './spawn-signer.ts';
import { vendorProfileSchema } from './vendor-profile.ts';
import { WorkItem } from './work-item.ts';

const directory = mkdtempSync(join(tmpdir(), 'hash-signer-bounds-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const key: ServedKey = {
  keyId: 'a'.repeat(32),
  name: 'a',
  algorithm: 'ecdsa-p256-sha256',
  purpose: 'seal',
  spki: new Uint8Array(),
  publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
  tokenSerial: 's',
  manifest: 'm',
};

describe('the watchdog', () => {
  const create = () => {
    let barks = 0;
    const dog = new OperationWatchdog(1_000, () => (barks += 1));
    // Its own clock: ticks every 100 ms.
    const start = performance.now();
    const tick = (ms: number): void => dog.check(start + ms);
    dog.stop();
    return { dog, start, tick, barks: () => barks };
  };

  test('barks before the limit is over, for the operation that is too long and no other', () => {
    const { dog, start, tick, barks } = create();
    const quick = dog.begin(1_000, start);
    dog.begin(5_000, start);
    for (let ms = 100; ms <= 700; ms += 100) tick(ms);
    expect(barks()).toBe(0);
    dog.end(quick);
    dog.begin(1_000, start + 700);
    for (let ms = 800; ms <= 1_400; ms += 100) tick(ms);
    expect(barks()).toBe(0);
    tick(1_600);
    expect(barks()).toBe(1);
  });

  test('forgives the time in which nobody ran', () => {
    const { dog, start, tick, barks } = create();
    dog.begin(1_000, start);
    tick(100);
    // Stopped for a minute, and so was perhaps the whole machine.
    tick(60_100);
    tick(60_200);
    expect(barks()).toBe(0);
    for (let ms = 60_300; ms <= 61_100; ms += 100) tick(ms);
    expect(barks()).toBeGreaterThan(0);
  });
});

describe('the circuit breaker', () => {
  test('opens after failures in a row without a signature for a while, and closes after a trial', () => {
    let now = 0;
    const breaker = new CircuitBreaker({ failures: 3, quietMs: 100, pauseMs: 1_000 }, () => now);
    const failMany = (count: number): boolean[] => Array.from({ length: count }, () => breaker.fail());
    expect(failMany(10)).not.toContain(true);
    now = 150;
    expect(breaker.fail()).toBe(true);
    expect(breaker.isOpen).toBe(true);
    expect(breaker.remainingMs).toBe(1_000);
    expect(breaker.mayTry()).toBe(false);
    now = 1_150;
    expect(breaker.mayTry()).toBe(true);
    // One trial at a time.
    expect(breaker.mayTry()).toBe(false);
    breaker.fail();
    expect(breaker.remainingMs).toBe(2_000);
    now = 3_150;
    expect(breaker.mayTry()).toBe(true);
    expect(breaker.succeed()).toBe(true);
    expect(breaker.isOpen).toBe(false);
    expect(breaker.succeed()).toBe(false);
  });

  test('stays closed while a sibling signs now and then', () => {
    let now = 0;
    const breaker = new CircuitBreaker({ failures: 3, quietMs: 100, pauseMs: 1_000 }, () => now);
    for (; now < 10_000; now += 10) {
      expect(breaker.fail()).toBe(false);
      if (now % 50 === 0) breaker.succeed();
    }
  });
});

describe('rates', () => {
  const midnight = Date.UTC(2030, 0, 2);
  const code = (value: string): object => expect.objectContaining({ code: value });

  test('fill a bucket, take all or none, and say when there is room', () => {
    let now = midnight;
    const rates = new RateLimits([{ purpose: 'seal', per_second: 10, burst: 20 }], undefined, () => now);
    rates.take(key, 20);
    expect(() => rates.take(key, 1)).toThrow(code('signer_rate_exceeded'));
    now += 500;
    expect(() => rates.take(key, 6)).toThrow(expect.objectContaining({ retryAfterSeconds: 1 }));
    rates.take(key, 5);
    now += 60_000;
    rates.take(key, 20);
    expect(() => rates.take(key, 1)).toThrow(code('signer_rate_exceeded'));
  });

  test('of a second have back what was not signed, up to the burst', () => {
    const rates = new RateLimits([{ purpose: 'seal', per_second: 1, burst: 10 }], undefined, () => 0);
    rates.take(key, 10);
    expect(() => rates.take(key, 1)).toThrow(expect.objectContaining({ code: 'signer_rate_exceeded' }));
    rates.giveBack(key, 4);
    rates.take(key, 4);
    expect(() => rates.take(key, 1)).toThrow(expect.objectContaining({ code: 'signer_rate_exceeded' }));
    rates.giveBack(key, 100);
    rates.take(key, 10);
    expect(() => rates.take(key, 1)).toThrow(expect.objectContaining({ code: 'signer_rate_exceeded' }));
  });

  test('count a UTC day, with what was made before a restart and without what was not signed', () => {
    let now = midnight - 10_000;
    const rates = new RateLimits([{ key_id: key.keyId, per_day: 10 }], () => now);
    rates.countEarlier(key.keyId);
    rates.take(key, 8);
    expect(() => rates.take(key, 2)).toThrow(
      expect.objectContaining({ code: 'signer_daily_limit_reached', retryAfterSeconds: 10 }),
    );
    rates.giveBack(key, 1);
    rates.take(key, 2);
    now = midnight;
    rates.take(key, 10);
    expect(() => rates.take(key, 1)).toThrow(code('signer_daily_limit_reached'));
    // Another key of the purpose is not limited by this one's entry.
    rates.take({ ...key, keyId: 'b'.repeat(32) }, 100);
  });

  test('give nobody a second day or a full bucket when somebody sets the clock to and fro', () => {
    let now = midnight + 1_000;
    let steady = 0;
    const limits = [{ key_id: key.keyId, per_second: 10, burst: 20, per_day: 40 }];
    const rates = new RateLimits(
      limits,
      () => now,
      () => steady,
    );
    rates.take(key, 20);
    now += 86_400_000;
    expect(() => rates.take(key, 20)).toThrow(code('signer_rate_exceeded'));
    now -= 86_400_000;
    steady += 2_000;
    rates.take(key, 20);
    steady += 2_000;
    expect(() => rates.take(key, 1)).toThrow(code('signer_daily_limit_reached'));
  });

  test('of a day that a reload brings count what was signed before it', () => {
    const rates = new RateLimits([], () => midnight);
    rates.take(key, 7);
    rates.giveBack(key, 1);
    rates.replace([{ purpose: 'seal', per_day: 10 }]);
    expect(() => rates.take(key, 5)).toThrow(code('signer_daily_limit_reached'));
    rates.take(key, 4);
  });
});

describe('work of one client', () => {
  test('has a bound of its own, and leaves when it is answered', () => {
    const pending = new PendingWork(100);
    const [flood, other] = [{ name: 'flood' }, { name: 'other', max_pending: 5 }];
    const leave = pending.enter(flood, 100);
    expect(() => pending.enter(flood, 1)).toThrow(expect.objectContaining({ code: 'signer_overloaded' }));
    pending.enter(other, 5)();
    expect(() => pending.enter(other, 6)).toThrow(expect.objectContaining({ code: 'signer_overloaded' }));
    leave();
    pending.enter(flood, 100);
  });
});

describe('a quarantine', () => {
  test('outlives the process and ends with its file', () => {
    const state = join(directory, 'state');
    const first = new Quarantine(state);
    first.add(key.keyId);
    expect(new Quarantine(state).has(key.keyId)).toBe(true);
    expect(first.reload()).toEqual([]);
    for (const name of readdirSync(state)) rmSync(join(state, name));
    expect(first.reload()).toEqual([key.keyId]);
    expect(first.has(key.keyId)).toBe(false);
  });

  test('holds in memory when it can not be written', () => {
    const state = join(directory, 'unwritable');
    // Root may write everywhere, but not a file where a folder is.
    mkdirSync(join(state, `quarantined-${key.keyId}.json.new`), { recursive: true });
    const quarantine = new Quarantine(state);
    expect(() => quarantine.add(key.keyId)).toThrow();
    expect(quarantine.has(key.keyId)).toBe(true);
    // Nor does a reload take a file that was never written for one that a person has deleted.
    expect(() => quarantine.reload()).toThrow();
    expect(quarantine.has(key.keyId)).toBe(true);
    rmSync(state, { recursive: true });
    expect(quarantine.reload()).toEqual([]);
    expect(new Quarantine(state).has(key.keyId)).toBe(true);
  });
});

describe('a vendor profile', () => {
  const valid = { version: 1, name: 'x', tried: false, module: '/x.so', return_codes: { '0x6': 'busy' } };

  test.each([
    ['another version', { version: 2 }],
    ['a code that is no number', { return_codes: { CKR_FUNCTION_FAILED: 'busy' } }],
    ['a class that is none', { return_codes: { '0x6': 'slow' } }],
    ['no lanes', { lanes: 0 }],
    ['an unknown field', { other: 1 }],
  ])('is refused with %s', (_name, changes) => {
    expect(vendorProfileSchema.safeParse(valid).success).toBe(true);
    expect(vendorProfileSchema.safeParse({ ...valid, ...changes }).success).toBe(false);
  });
});

/** The daemon's side of a signer process that is a pipe in our hands. */
function createFakeSigner() {
  const child = new EventEmitter() as EventEmitter & { pid: number; kill: () => void };
  const exits: SignerExit[] = [];
  const settled: string[] = [];
  let isKilled = false;
  const pipe = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  child.pid = 1;
  child.kill = () => {
    isKilled = true;
    child.emit('close');
  };
  const setup = {
    module: 'm',
    token: { label: 'l', serial: 's' },
    pinFile: 'p',
    lanes: 1,
    reservedLanes: {},
    watchdogMs: { ec: 60_000, rsa: 60_000 },
    inProcess: false,
    returnCodes: [],
    maxInFlight: 10,
    keys: [{ keyId: key.keyId, algorithm: key.algorithm, purpose: 'seal', spki: '' }],
  };
  const signer = new SignerProcess(
    {
      launch: { lanes: 1, environment: {} },
      setup,
      startTimeoutMs: 60_000,
      spawn: () => ({ process: child, pipe }) as unknown as SpawnedSigner,
    },
    {
      onAttempt: () => undefined,
      onReady: () => undefined,
      onSigned: () => settled.push('signed'),
      onFailed: () => settled.push('failed'),
      onExit: (exit) => exits.push(exit),
    },
  );
  const receive = (bytes: Uint8Array): void => void pipe.emit('data', Buffer.from(bytes));
  return { signer, receive, exits, settled, isKilled: () => isKilled, end: () => child.emit('close') };
}

describe('a signer process that talks nonsense', () => {
  const ready = encodeJsonFrame(frameTypes.ready, { module: 'x' });
  const corpus: [string, Uint8Array][] = [
    ['an answer to nothing', encodeSigned(7, 1, randomBytes(64))],
    ['a failure of nothing', encodeFailed(7, 1, 'busy', 1)],
    ['ready twice', Buffer.concat([ready, ready])],
    ['a login after the start', Buffer.concat([ready, encodeJsonFrame(frameTypes.attempt, { mtimeMs: 1, size: 1 })])],
    ['a login without a stamp', encodeJsonFrame(frameTypes.attempt, {})],
    ['an unknown frame', encodeFrame(0x55, randomBytes(3))],
    ['a frame of ours', encodeFrame(frameTypes.drain)],
    ['a cut answer', encodeFrame(frameTypes.signed, randomBytes(3))],
    ['a cut failure', encodeFrame(frameTypes.failed, randomBytes(9))],
    ['no JSON', encodeFrame(frameTypes.ready, Buffer.from('{'))],
    ['a reason of its own', encodeJsonFrame(frameTypes.fatal, { reason: 'because="x"' })],
    ['a length that no frame has', Buffer.from('7fffffff', 'hex')],
    ['a length of nothing', Buffer.alloc(4)],
  ];

  test.each(corpus)('%s: it is killed, and its work comes back once', (_name, bytes) => {
    const { signer, receive, exits, isKilled } = createFakeSigner();
    receive(ready);
    const item = new WorkItem({ key, digest: randomBytes(32), deadline: Infinity });
    signer.send(item);
    receive(bytes);
    expect(isKilled()).toBe(true);
    expect(exits).toMatchObject([{ reason: 'protocol', wasReady: true, items: [item] }]);
    expect(signer.isUsable).toBe(false);
  });

  test('whatever it says, in whatever pieces, nothing is thrown and no work is lost', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(...corpus.map(([, bytes]) => bytes), ready),
        fc.nat(4).map((id) => encodeSigned(id, 1, randomBytes(64))),
        fc.nat(4).map((id) => encodeFailed(id, 1, 'unknown', undefined)),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const { signer, receive, exits, settled, end } = createFakeSigner();
        receive(ready);
        const sent = 3;
        for (let count = 0; count < sent; count += 1) {
          signer.send(new WorkItem({ key, digest: randomBytes(32), deadline: Infinity }));
        }
        for (const part of parts) receive(part);
        end();
        expect(exits).toHaveLength(1);
        expect(settled.length + (exits[0]?.items.length ?? 0)).toBe(sent);
      }),
      { numRuns: 400 },
    );
  });

  test('frames survive any cutting, and lengths that no frame has end the stream', () => {
    const frames = fc.array(fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 200 })), { maxLength: 8 });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, sizes) => {
        const stream = Buffer.concat(sent.map(([type, payload]) => encodeFrame(type, payload)));
        const reader = new FrameReader();
        const got: [number, string][] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          for (const { type, payload } of reader.push(stream.subarray(at, at + size)))
            got.push([type, payload.toString('hex')]);
          at += size;
        }
        expect(got).toEqual(sent.map(([type, payload]) => [type, Buffer.from(payload).toString('hex')]));
      }),
    );
  });
});
