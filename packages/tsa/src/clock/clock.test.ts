import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { NtpServerForTests } from '@sigillum/testing';
import fc from 'fast-check';
import { isAuthenticated, parseTracking, queryChrony } from './chrony.ts';
import { type ClockFault, ClockSupervisor, type ClockSupervisorOptions } from './clock-supervisor.ts';
import { combineMeasurements } from './combine-measurements.ts';
import { isInLeapWindow } from './leap-window.ts';
import { assessRound, type ClockRound } from './measure-clock.ts';
import { encodeNtpRequest, parseNtpAnswer } from './ntp-packet.ts';
import { PoliteSource } from './polite-source.ts';
import { type LocalClock, queryNtpServer, type SourceMeasurement } from './query-ntp-server.ts';

const realClock: LocalClock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A clock that a test turns. */
class TurnedClock implements LocalClock {
  wall = Date.UTC(2026, 10, 22, 12);
  elapsed = 5000;
  now = (): number => this.wall;
  monotonic = (): number => this.elapsed;
  pass(ms: number): void {
    this.wall += ms;
    this.elapsed += ms;
  }
}

const said = (offsetMs: number, errorMs = 10, more: Partial<SourceMeasurement> = {}): SourceMeasurement => ({
  offsetMs,
  errorMs,
  delayMs: errorMs,
  stratum: 1,
  leap: 'none',
  ...more,
});

describe('an NTP packet', () => {
  const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const near = Date.UTC(2026, 10, 22);
  function answer(change: (packet: Buffer) => void = () => undefined): Buffer {
    const packet = Buffer.alloc(48);
    packet[0] = 0x24;
    packet[1] = 2;
    packet.writeUInt32BE(0x0001_8000, 4);
    packet.writeUInt32BE(0x0000_4000, 8);
    packet.set(nonce, 24);
    packet.writeUInt32BE(near / 1000 + 2_208_988_800, 32);
    packet.writeUInt32BE(near / 1000 + 2_208_988_800, 40);
    packet.writeUInt32BE(0x8000_0000, 44);
    change(packet);
    return packet;
  }

  test('of a request tells nothing of us but a random number', () => {
    const request = Buffer.from(encodeNtpRequest(nonce));
    expect(request.toString('hex')).toBe(`23${'00'.repeat(39)}0102030405060708`);
  });

  test('of an answer is read to the fraction', () => {
    expect(parseNtpAnswer(answer(), nonce, near)).toEqual({
      leap: 'none',
      stratum: 2,
      rootDelayMs: 1500,
      rootDispersionMs: 250,
      receivedAt: near,
      sentAt: near + 500,
    });
  });

  test('is read in the era that is near: 2036 is not 1900', () => {
    const after = Date.UTC(2036, 1, 7, 6, 28, 20);
    const seconds = after / 1000 + 2_208_988_800 - 2 ** 32;
    expect(seconds).toBeLessThan(10);
    const packet = answer((bytes) => {
      bytes.writeUInt32BE(seconds, 32);
      bytes.writeUInt32BE(seconds, 40);
    });
    expect(parseNtpAnswer(packet, nonce, after)).toMatchObject({ receivedAt: after, sentAt: after + 500 });
  });

  test.each<[string, string, (packet: Buffer) => void]>([
    ['is of a client', 'not_an_answer', (packet) => (packet[0] = 0x23)],
    ['is of version 2', 'not_an_answer', (packet) => (packet[0] = 0x14)],
    ['answers something else', 'not_to_us', (packet) => (packet[31] = 0)],
    ['is a kiss of death', 'kiss_of_death', (packet) => (packet[1] = 0)],
    ['denies its service', 'denied', (packet) => packet.fill(0, 1, 2).write('DENY', 12)],
    ['is restricted', 'denied', (packet) => packet.fill(0, 1, 2).write('RSTR', 12)],
    ['was asked too often', 'rate_limited', (packet) => packet.fill(0, 1, 2).write('RATE', 12)],
    ['has an experimental kiss code', 'kiss_of_death', (packet) => packet.fill(0, 1, 2).write('XTRA', 12)],
    ['denies something else', 'not_to_us', (packet) => packet.fill(0, 1, 2).fill(0, 31, 32).write('DENY', 12)],
    ['is not synchronised', 'unsynchronised', (packet) => (packet[0] = 0xe4)],
    ['is of stratum 16', 'unsynchronised', (packet) => (packet[1] = 16)],
    ['knows its time to hours', 'unsynchronised', (packet) => packet.writeUInt32BE(0x7fff_ffff, 8)],
    ['has a path of three seconds', 'unsynchronised', (packet) => packet.writeUInt32BE(3 << 16, 4)],
    ['has no time', 'unsynchronised', (packet) => packet.fill(0, 40)],
    ['went out before it came in', 'unsynchronised', (packet) => packet.writeUInt32BE(packet.readUInt32BE(32) - 5, 40)],
  ])('is no measurement when it %s', (_what, refusal, change) => {
    expect(parseNtpAnswer(answer(change), nonce, near)).toBe(refusal);
  });

  test('of any bytes is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        parseNtpAnswer(bytes, nonce, near);
      }),
    );
  });
});

describe('a time server on loopback', () => {
  let server: NtpServerForTests;
  beforeEach(async () => {
    server = await NtpServerForTests.start();
  });
  afterEach(() => server.stop());
  const ask = (timeoutMs = 20_000) =>
    queryNtpServer({ host: '127.0.0.1', port: server.port }, { clock: realClock, timeoutMs });

  test.each([0, 1234, -86_400_000])('that is %i ms off is measured to within its error', async (offsetMs) => {
    server.behaviour.offsetMs = offsetMs;
    const measured = await ask();
    if (typeof measured === 'string') throw new Error(measured);
    expect(Math.abs(measured.offsetMs - offsetMs)).toBeLessThanOrEqual(measured.errorMs);
    // Half the path, half of 1 ms root delay, 1 ms of dispersion and 1 ms for our own clock.
    expect(measured.errorMs).toBeCloseTo(measured.delayMs / 2 + 2.5, 1);
  });

  test('that is silent, gone, unsynchronised or unwilling is no measurement', async () => {
    server.behaviour.silent = true;
    expect(await ask(50)).toBe('silent');
    server.behaviour.silent = false;
    server.behaviour.leap = 3;
    expect(await ask()).toBe('unsynchronised');
    server.behaviour.leap = 0;
    server.behaviour.stratum = 0;
    expect(await ask()).toBe('kiss_of_death');
    const gone = createSocket('udp4');
    gone.bind(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address();
    gone.close();
    const options = { clock: realClock, timeoutMs: 20_000 };
    expect(await queryNtpServer({ host: '127.0.0.1', port }, options)).toBe('unreachable');
    expect(await queryNtpServer({ host: 'no-such-host.invalid', port }, options)).toBe('unreachable');
  });

  describe('that objects', () => {
    let turned: TurnedClock;
    let source: PoliteSource;
    const pollMs = 64_000;
    beforeEach(() => {
      turned = new TurnedClock();
      const options = { clock: turned, timeoutMs: 20_000, pollMs };
      source = new PoliteSource({ host: '127.0.0.1', port: server.port }, options);
    });
    const object = (reference: string): void => {
      server.behaviour.stratum = 0;
      server.behaviour.reference = reference;
    };

    test.each(['DENY', 'RSTR'])('with %s is never asked again', async (code) => {
      object(code);
      expect(await source.ask()).toBe('denied');
      server.behaviour.stratum = 1;
      turned.pass(365 * 86_400_000);
      expect(await source.ask()).toBe('denied');
      expect(server.requests).toBe(1);
    });

    test('with RATE is asked half as often, and again half as often each time it says so', async () => {
      object('RATE');
      expect(await source.ask()).toBe('rate_limited');
      turned.pass(2 * pollMs - 1);
      expect(await source.ask()).toBe('rate_limited');
      expect(server.requests).toBe(1);
      turned.pass(1);
      expect(await source.ask()).toBe('rate_limited');
      expect(server.requests).toBe(2);
      turned.pass(4 * pollMs - 1);
      await source.ask();
      expect(server.requests).toBe(2);
      turned.pass(1);
      server.behaviour.stratum = 1;
      expect(await source.ask()).toMatchObject({ stratum: 1 });
      // It answered because it was asked seldom, so it stays like that.
      turned.pass(4 * pollMs - 1);
      expect(await source.ask()).toBe('rate_limited');
      turned.pass(1);
      expect(await source.ask()).toMatchObject({ stratum: 1 });
      expect(server.requests).toBe(4);
    });

    test('is asked once in a day and a half at least, however often it says RATE', async () => {
      object('RATE');
      for (let index = 0; index < 30; index++) {
        await source.ask();
        turned.pass(2 ** 17 * 1000);
      }
      expect(server.requests).toBe(30);
    });

    test('with any other code is asked as before', async () => {
      object('XTRA');
      expect(await source.ask()).toBe('kiss_of_death');
      expect(await source.ask()).toBe('kiss_of_death');
      expect(server.requests).toBe(2);
    });
  });

  test('is believed beside a forger who does not know what we asked', async () => {
    server.behaviour.forgesFirst = true;
    expect(await ask()).toMatchObject({ stratum: 1 });
  });

  test('tells nothing when our clock is set while it answers', async () => {
    let reads = 0;
    const clock = { now: () => Date.now() + (reads++ > 0 ? 3000 : 0), monotonic: () => performance.now() };
    expect(await queryNtpServer({ host: '127.0.0.1', port: server.port }, { clock, timeoutMs: 20_000 })).toBe(
      'stepped',
    );
  });
});

describe('several sources', () => {
  const combine = (configured: number, ...all: SourceMeasurement[]) =>
    combineMeasurements(new Map(all.map((one, index) => [`s${index}`, one])), configured);

  test('that agree give the bounds that two of three share', () => {
    expect(combine(3, said(0), said(4), said(-4))).toEqual({ lowMs: -10, highMs: 10, leap: 'none', liars: [] });
  });

  test('outvote one that lies, and name it', () => {
    expect(combine(3, said(1), said(5000), said(-1))).toEqual({ lowMs: -9, highMs: 9, leap: 'none', liars: ['s1'] });
  });

  test('are no majority when two are silent, even if the third is sure', () => {
    expect(combine(3, said(0))).toBe('too_few_answers');
    expect(combine(5, said(0), said(0))).toBe('too_few_answers');
  });

  test('that contradict each other decide nothing', () => {
    expect(combine(3, said(0), said(100), said(200))).toBe('no_majority');
    expect(combine(4, said(0), said(0), said(100), said(100))).toBe('no_majority');
  });

  test('announce a leap second when most of those that agree do', () => {
    const insert = { leap: 'insert' } as const;
    expect(combine(3, said(0, 10, insert), said(0, 10, insert), said(0))).toMatchObject({ leap: 'insert' });
    expect(combine(3, said(0, 10, insert), said(0), said(0))).toMatchObject({ leap: 'none' });
    expect(combine(3, said(9000, 10, { leap: 'delete' }), said(0), said(0))).toMatchObject({ leap: 'none' });
  });

  test('have the truth between their bounds while more than half are right, whatever the others say', () => {
    const scenario = fc.integer({ min: 3, max: 9 }).chain((count) =>
      fc.record({
        truth: fc.integer({ min: -1000, max: 1000 }),
        honest: fc.array(
          fc.record({ error: fc.integer({ min: 1, max: 200 }), shift: fc.double({ min: -1, max: 1, noNaN: true }) }),
          {
            minLength: Math.floor(count / 2) + 1,
            maxLength: count,
          },
        ),
        others: fc.array(
          fc.record({ offset: fc.integer({ min: -3000, max: 3000 }), error: fc.integer({ min: 0, max: 3000 }) }),
          {
            maxLength: count,
          },
        ),
        count: fc.constant(count),
      }),
    );
    fc.assert(
      fc.property(scenario, ({ truth, honest, others, count }) => {
        const right = honest.map(({ error, shift }) => said(truth + shift * error * 0.999, error));
        const wrong = others.slice(0, count - honest.length).map(({ offset, error }) => said(offset, error));
        const result = combine(count, ...right, ...wrong);
        if (typeof result === 'string') throw new Error(result);
        expect(result.lowMs).toBeLessThanOrEqual(truth);
        expect(result.highMs).toBeGreaterThanOrEqual(truth);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a round', () => {
  const sources = new Map([
    ['a', said(2)],
    ['b', said(-2)],
    ['c', said(0)],
  ]);
  const chrony = { offsetMs: 1, errorMs: 20, stratum: 3, leap: 'none' as const };

  test('is bounded by the worse of the sources and chronyd', () => {
    expect(assessRound({ sources, chrony: undefined })).toMatchObject({ kind: 'measured', boundMs: 10 });
    expect(assessRound({ sources, chrony })).toMatchObject({ kind: 'measured', boundMs: 21 });
  });

  test('is a fault when chronyd is unsynchronised, unauthenticated or contradicted', () => {
    expect(assessRound({ sources, chrony: 'unsynchronised' })).toEqual({ kind: 'fault', reason: 'unsynchronised' });
    expect(assessRound({ sources, chrony: 'not_authenticated' })).toMatchObject({ reason: 'not_authenticated' });
    expect(assessRound({ sources, chrony: { ...chrony, offsetMs: 400 } })).toMatchObject({
      kind: 'fault',
      reason: 'chrony_contradicted',
    });
  });

  test('is nothing when chronyd or the majority of the sources is silent', () => {
    expect(assessRound({ sources, chrony: 'silent' })).toEqual({ kind: 'nothing', reason: 'chrony_silent' });
    const two = new Map<string, SourceMeasurement | 'silent'>([...sources, ['a', 'silent'], ['b', 'silent']]);
    expect(assessRound({ sources: two, chrony: undefined })).toMatchObject({ kind: 'nothing' });
  });

  test('takes the leap second that chronyd knows of', () => {
    expect(assessRound({ sources, chrony: { ...chrony, leap: 'insert' } })).toMatchObject({ leap: 'insert' });
  });
});

describe('a supervised clock', () => {
  let clock: TurnedClock;
  let round: ClockRound;
  let asked: number;
  let changes: (ClockFault | 'well')[];
  let supervisor: ClockSupervisor;
  const agree = (offsetMs: number, errorMs = 10, leap: SourceMeasurement['leap'] = 'none'): ClockRound => ({
    sources: new Map(['a', 'b', 'c'].map((name) => [name, said(offsetMs, errorMs, { leap })])),
    chrony: undefined,
  });
  const silence: ClockRound = { sources: new Map(['a', 'b', 'c'].map((name) => [name, 'silent'])), chrony: undefined };
  const make = (more: Partial<ClockSupervisorOptions> = {}) =>
    new ClockSupervisor({
      ask: () => {
        asked++;
        return Promise.resolve(round);
      },
      clock,
      accuracyMs: 500,
      // Rounds are run by the tests; real timers never come.
      pollMs: 3_600_000,
      retryMs: 3_600_000,
      maxAgeMs: 300_000,
      onChange: (fault) => changes.push(fault ?? 'well'),
      ...more,
    });
  const assess = () => supervisor.assess(new Date(clock.now()));

  beforeEach(() => {
    clock = new TurnedClock();
    round = agree(0);
    asked = 0;
    changes = [];
    supervisor = make();
  });
  afterEach(() => supervisor.stop());

  test('gives no time before it was measured, and then states its bound rounded up', async () => {
    expect(assess).toThrow(expect.objectContaining({ failure: 'timeNotAvailable' }));
    expect(supervisor.findFault()).toBe('not_measured_yet');
    round = agree(7.2, 3);
    await supervisor.start();
    expect(assess()).toMatchObject({ boundMs: expect.closeTo(10.2, 5), accuracyMs: 11 });
    expect(changes).toEqual(['not_measured_yet', 'well']);
  });

  test('is trusted a little less each second, and not at all when it was not measured for too long', async () => {
    await supervisor.start();
    clock.pass(100_000);
    expect(assess()).toMatchObject({ boundMs: expect.closeTo(20, 5), accuracyMs: 20 });
    round = silence;
    await supervisor.measure();
    expect(assess()).toMatchObject({ accuracyMs: 20 });
    clock.pass(200_001);
    expect(supervisor.findFault()).toBe('measurement_too_old');
    expect(assess).toThrow('too long');
    round = agree(0);
    await supervisor.measure();
    expect(assess()).toMatchObject({ accuracyMs: 10 });
    expect(changes).toEqual(['well', 'measurement_too_old', 'well']);
  });

  test('gives no time beyond the accuracy promised, at once, and again when it is set right', async () => {
    await supervisor.start();
    round = agree(600);
    await supervisor.measure();
    expect(supervisor.findFault()).toBe('beyond_accuracy');
    expect(assess).toThrow('accuracy promised');
    round = agree(1);
    await supervisor.measure();
    expect(assess()).toMatchObject({ accuracyMs: 11 });
  });

  test.each<[ClockFault, ClockRound]>([
    [
      'no_majority',
      {
        sources: new Map([
          ['a', said(0)],
          ['b', said(90)],
          ['c', said(180)],
        ]),
        chrony: undefined,
      },
    ],
    [
      'unsynchronised',
      {
        sources: new Map([
          ['a', said(0)],
          ['b', said(0)],
          ['c', said(0)],
        ]),
        chrony: 'unsynchronised',
      },
    ],
  ])('gives no time after %s, also while everybody is silent, until it was measured again', async (fault, bad) => {
    await supervisor.start();
    round = bad;
    await supervisor.measure();
    expect(supervisor.findFault()).toBe(fault);
    round = silence;
    await supervisor.measure();
    expect(supervisor.findFault()).toBe(fault);
    round = agree(0);
    await supervisor.measure();
    expect(supervisor.findFault()).toBeUndefined();
  });

  test.each([3_600_000, 200, -200, -3_600_000])(
    'that is set by %i ms gives no time, with the very next token',
    async (jump) => {
      await supervisor.start();
      clock.pass(1000);
      assess();
      clock.wall += jump;
      expect(assess).toThrow('it was set');
      // Setting it back is no measurement either.
      clock.wall -= jump;
      expect(supervisor.findFault()).toBe('stepped');
      await supervisor.measure();
      expect(assess()).toMatchObject({ accuracyMs: 10 });
    },
  );

  test('that is set while it is measured is not measured', async () => {
    supervisor = make({
      ask: () => {
        clock.wall += 5000;
        return Promise.resolve(agree(0));
      },
    });
    await supervisor.start();
    expect(supervisor.findFault()).toBe('stepped');
  });

  test('is measured again soon after it was set, but not with each token', async () => {
    supervisor = make({ retryMs: 0 });
    await supervisor.start();
    const before = asked;
    clock.wall += 5000;
    for (let index = 0; index < 100; index++) expect(assess).toThrow();
    for (;;) {
      if (asked > before) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(asked).toBe(before + 1);
  });

  test('pauses over a leap second, until it is measured after it', async () => {
    clock.wall = Date.UTC(2026, 11, 31, 23, 59, 0);
    round = agree(0, 10, 'insert');
    await supervisor.start();
    clock.pass(57_000);
    expect(supervisor.findFault()).toBeUndefined();
    clock.pass(1001);
    expect(assess).toThrow('leap second');
    // The kernel repeats a second: that is no step of somebody's.
    clock.elapsed += 1000;
    clock.pass(4000);
    expect(supervisor.findFault()).toBe('leap_second');
    round = agree(0);
    await supervisor.measure();
    expect(assess()).toMatchObject({ accuracyMs: 10 });
  });

  test('does not pause at the end of a month for which nothing is announced', async () => {
    clock.wall = Date.UTC(2026, 11, 31, 23, 59, 0);
    await supervisor.start();
    clock.pass(59_500);
    expect(supervisor.findFault()).toBeUndefined();
    expect(isInLeapWindow(Date.UTC(2027, 0, 1) - 2000, Date.UTC(2026, 11, 31))).toBe(true);
    expect(isInLeapWindow(Date.UTC(2027, 0, 1) - 2001, Date.UTC(2026, 11, 31))).toBe(false);
  });
});

describe('with time servers that change their mind', () => {
  const servers: NtpServerForTests[] = [];
  let supervisor: ClockSupervisor;
  beforeEach(async () => {
    for (let index = 0; index < 3; index++) servers.push(await NtpServerForTests.start());
    supervisor = new ClockSupervisor({
      clock: realClock,
      accuracyMs: 1000,
      pollMs: 3_600_000,
      retryMs: 3_600_000,
      maxAgeMs: 3_600_000,
      ask: async () => ({
        sources: new Map(
          await Promise.all(
            servers.map(async (server, index) => {
              const source = { host: '127.0.0.1', port: server.port };
              return [`s${index}`, await queryNtpServer(source, { clock: realClock, timeoutMs: 500 })] as const;
            }),
          ),
        ),
        chrony: undefined,
      }),
    });
    await supervisor.start();
  });
  afterEach(async () => {
    await supervisor.stop();
    for (const server of servers.splice(0)) await server.stop();
  });
  const set = (...offsets: number[]) => {
    for (const [index, server] of servers.entries()) server.behaviour.offsetMs = offsets[index] ?? 0;
  };

  test('a clock is right while one lies or is silent, and not when two lie, jump or are silent for long', async () => {
    expect(supervisor.findFault()).toBeUndefined();
    set(30_000, 0, 0);
    await supervisor.measure();
    expect(supervisor.findFault()).toBeUndefined();
    set(30_000, 0, -30_000);
    await supervisor.measure();
    expect(supervisor.findFault()).toBe('no_majority');
    set(2000, 2000, 2000);
    await supervisor.measure();
    expect(supervisor.findFault()).toBe('beyond_accuracy');
    set(300, 300, 300);
    await supervisor.measure();
    const { accuracyMs } = supervisor.assess(new Date());
    expect(accuracyMs).toBeGreaterThanOrEqual(300);
  });
});

const hasChrony = ['chronyd', 'chronyc'].every((name) => spawnSync(name, ['--version']).error === undefined);
const describeChrony = hasChrony ? describe : describe.skip;

test('chronyc is read as it writes, and not when it writes something else', () => {
  const line = (leap: string, stratum = '3') =>
    `C0A80001,time.example,${stratum},1795323600.1,0.000250000,-0.000010000,0.000020000,-5.1,0.001,0.05,0.012000000,0.003000000,64.2,${leap}\n`;
  expect(parseTracking(line('Normal'))).toEqual({
    offsetMs: 0.25,
    errorMs: expect.closeTo(10, 5),
    stratum: 3,
    leap: 'none',
  });
  expect(parseTracking(line('Insert second'))).toMatchObject({ leap: 'insert' });
  expect(parseTracking(line('Not synchronised'))).toBe('unsynchronised');
  expect(parseTracking(line('Normal', '0'))).toBe('unsynchronised');
  expect(parseTracking('506 Cannot talk to daemon\n')).toBe('silent');
  const sources = '^,*,a.example,1,6,377,1,0,0,0\n^,+,b.example,1,6,377,1,0,0,0\n^,-,c.example,1,6,377,1,0,0,0\n';
  const rows = (b: string) => `a.example,NTS,1,15,256,135m,0,0,8,100\nb.example,${b},0,0,0,4294967295,0,0,0,0\n`;
  expect(isAuthenticated(sources, rows('NTS'))).toBe(true);
  expect(isAuthenticated(sources, rows('-'))).toBe(false);
  expect(isAuthenticated('^,?,a.example,0,6,0,1,0,0,0\n', rows('NTS'))).toBe(false);
});

// chronyd runs with -x on ports and files of its own: it never touches this machine's clock.
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const canBeOther =
  process.getuid?.() === 0 &&
  spawnSync(nobody[0] ?? '', [...nobody.slice(1), process.execPath, '--check', join(import.meta.dirname, 'chrony.ts')])
    .status === 0;
const asOther = canBeOther ? test : test.skip;

describeChrony('a real chronyd', () => {
  // Of this process alone; chronyd takes no other than a number.
  const commandPort = 20_000 + (process.pid % 20_000);
  let folder: string;
  let server: NtpServerForTests;
  let daemon: ChildProcess;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sigillum-chrony-'));
    chmodSync(folder, 0o700);
    server = await NtpServerForTests.start();
    const lines = [
      `server 127.0.0.1 port ${server.port} minpoll -4 maxpoll -4 iburst`,
      'port 0',
      `cmdport ${commandPort}`,
      `bindcmdaddress ${folder}/chronyd.sock`,
      `pidfile ${folder}/chronyd.pid`,
    ];
    writeFileSync(join(folder, 'own.conf'), `${lines.join('\n')}\n`);
    daemon = spawn('chronyd', ['-x', '-d', '-u', 'root', '-f', join(folder, 'own.conf')], { stdio: 'ignore' });
  });
  afterAll(async () => {
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await ended;
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const ask = (requireNts = false) =>
    queryChrony({ program: 'chronyc', host: join(folder, 'chronyd.sock'), requireNts });

  test('says how far the clock is off once it is synchronised, and is not authenticated without NTS', async () => {
    server.behaviour.offsetMs = 400;
    let tracking = await ask();
    while (typeof tracking === 'string') {
      await new Promise((resolve) => setTimeout(resolve, 100));
      tracking = await ask();
    }
    expect(tracking.stratum).toBe(2);
    // With -x nothing is corrected, so the offset stays what it is; ours is behind, so it is positive.
    expect(tracking.offsetMs + tracking.errorMs).toBeGreaterThan(350);
    expect(tracking.offsetMs - tracking.errorMs).toBeLessThan(450);
    expect(await ask(true)).toBe('not_authenticated');
  });

  asOther(
    'tells a service that is not root of NTS by the socket of the unit that asks for it, and not otherwise',
    async () => {
      // The unit, with this daemon's socket; as systemd does it, once for each connection.
      const unit = readFileSync(
        join(import.meta.dirname, '../../../../deploy/systemd/chrony/sigillum-chrony@.service'),
        'utf8',
      );
      const [, program = '', words = ''] = /^ExecStart=(\S+) (.*)$/m.exec(unit) ?? [];
      const args = words.replace('/run/chrony/chronyd.sock', join(folder, 'chronyd.sock')).split(' ');
      const socket = join(mkdtempSync(join(tmpdir(), 'sigillum-authdata-')), 's');
      const helper = createServer((connection) => {
        execFile(program, args, (error, stdout) => connection.end(error ? '' : stdout));
      }).listen(socket);
      await once(helper, 'listening');
      chmodSync(dirname(socket), 0o755);
      chmodSync(socket, 0o666);
      const askAs = (options: object): Promise<string> => {
        const module = join(import.meta.dirname, 'chrony.ts');
        const script = `import { queryChrony } from ${JSON.stringify(module)}; console.log(await queryChrony(${JSON.stringify(options)}))`;
        const command = [...nobody, process.execPath, '--conditions=source', '--input-type=module', '-e', script];
        return new Promise((resolve) =>
          execFile(command[0] ?? '', command.slice(1), { cwd: '/' }, (_error, stdout) => resolve(stdout.trim())),
        );
      };
      const open = { program: 'chronyc', host: '127.0.0.1', port: commandPort, requireNts: true };
      while (typeof (await ask()) === 'string') await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await askAs({ ...open, host: join(folder, 'chronyd.sock') })).toBe('silent');
      expect(await askAs(open)).toBe('silent');
      expect(await askAs({ ...open, authdataSocket: socket })).toBe('not_authenticated');
      helper.close();
      rmSync(dirname(socket), { recursive: true });
    },
  );

  test('that is not there is silent', async () => {
    expect(await queryChrony({ program: 'chronyc', host: join(folder, 'none'), requireNts: false })).toBe('silent');
    expect(await queryChrony({ program: 'no-such-program', requireNts: false })).toBe('silent');
  });
});
