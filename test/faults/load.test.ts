import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { SignerClient } from '@sigillum/signer-rpc';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkInvariants } from './check-invariants.ts';
import { type RunningSigner, waitUntil } from './running-signer.ts';
import { SignerHome } from './signer-home.ts';
import { SigningRecord } from './signing-record.ts';

/** 200 requests a second, each with far more time than two watchdog periods (two seconds here). */
const everyMs = 5;
const maxBurst = 20;
const timeoutMs = 30_000;
/** Under load before, and after, whatever happens. */
const quietMs = 400;

let home: SignerHome;
let signer: RunningSigner;
const signers: RunningSigner[] = [];
let client: SignerClient;
const record = new SigningRecord();

beforeAll(async () => {
  home = new SignerHome();
  signer = await home.start('load', { canary: { interval_ms: 1_000 } });
  signers.push(signer);
  client = home.connect(signer, 'document-service', 64);
}, 120_000);

afterAll(async () => {
  await home?.remove();
}, 60_000);

/** Keeps up the load while `during` runs; answers what became of every digest. */
async function underLoad(during: () => Promise<void>, sign = signOnce): Promise<string[]> {
  const calls: Promise<string>[] = [];
  let due = performance.now();
  // A busy machine delays timers: what is owed is sent with the next one.
  const ticker = setInterval(() => {
    for (let burst = 0; due < performance.now() && burst < maxBurst; burst += 1, due += everyMs) calls.push(sign());
  }, everyMs);
  try {
    await sleep(quietMs);
    await during();
    await sleep(quietMs);
  } finally {
    clearInterval(ticker);
  }
  return await Promise.all(calls);
}

async function signOnce(): Promise<string> {
  const [outcome = 'nothing'] = await record.sign(client, home.key('p256'), 1, timeoutMs);
  return outcome;
}

const failures = (outcomes: readonly string[]): string[] => outcomes.filter((outcome) => outcome !== 'signed');

async function pickVictim(): Promise<number> {
  home.shim.clear();
  await signer.waitUntilReady(2);
  const [victim] = signer.signers();
  if (victim === undefined) throw new Error('no signer process');
  return victim;
}

const isGone = (pid: number) => (): boolean => !signer.signers().includes(pid);

describe('under 200 requests a second with two signer processes, no request fails when one of them', () => {
  const faults: [string, (victim: number) => void][] = [
    ['is killed', (victim) => process.kill(victim, 'SIGKILL')],
    ['is stopped', (victim) => process.kill(victim, 'SIGSTOP')],
    ['hangs for ever in C_Sign', (victim) => home.shim.set(['C_Sign hang'], victim)],
    ['hangs for ever in C_SignInit', (victim) => home.shim.set(['C_SignInit hang'], victim)],
    ['has lost its device for good', (victim) => home.shim.set(['* return 0x32'], victim)],
  ];

  test.each(faults)('%s', async (_name, strike) => {
    const victim = await pickVictim();
    const outcomes = await underLoad(async () => {
      strike(victim);
      await waitUntil('the end of the faulty process', isGone(victim));
    });
    expect(outcomes.length).toBeGreaterThan(20);
    expect(failures(outcomes)).toEqual([]);
  });

  test('has five session errors in a row', async () => {
    const victim = await pickVictim();
    const outcomes = await underLoad(async () => {
      home.shim.set(['C_Sign return 0xb3 count=5'], victim);
      await waitUntil('five errors', () => countFaults(victim) === 5);
    });
    expect(failures(outcomes)).toEqual([]);
    expect(signer.signers()).toContain(victim);
  });

  const countFaults = (pid: number): number =>
    home.shim.readTrace().filter((event) => event.pid === pid && event.what === 'fault').length;
});

describe('under the same load', () => {
  test('the token folder goes and comes back: refused meanwhile, signed before and after, never wrong', async () => {
    await pickVictim();
    const outcomes = await underLoad(async () => {
      renameSync(home.path('tokens'), home.path('tokens-away'));
      try {
        await waitUntil('no signer', async () => (await signer.metric('hash_signer_usable_signers')) === 0);
      } finally {
        rmSync(home.path('tokens'), { recursive: true, force: true });
        renameSync(home.path('tokens-away'), home.path('tokens'));
      }
      await signer.waitUntilReady(2);
    });
    // No signer was healthy then: 503 at once is the honest answer, or a failed second attempt.
    const others = failures(outcomes).filter((outcome) => outcome !== 'signer_unavailable');
    expect(others).toEqual([]);
    expect(outcomes[0]).toBe('signed');
    expect(outcomes.at(-1)).toBe('signed');
  });

  test('the daemon restarts behind a client that tries again: every request is signed in the end', async () => {
    await pickVictim();
    const signWithRetries = async (): Promise<string> => {
      const until = Date.now() + timeoutMs;
      for (;;) {
        const outcome = await signOnce();
        if (outcome !== 'signer_unavailable' || Date.now() > until) return outcome;
        await sleep(200);
      }
    };
    const outcomes = await underLoad(async () => {
      expect(await signer.stop()).toBe(0);
      signer = home.launch('load');
      signers.push(signer);
      await signer.waitUntilReady(2);
    }, signWithRetries);
    expect(failures(outcomes)).toEqual([]);
  });

  test('bad clients disturb nobody else: hurried ones, one that floods, one that never reads', async () => {
    await pickVictim();
    const [hurried, flooding] = [home.connect(signer, 'other'), home.connect(signer, 'tsa', 8)];
    const disturbance = { isOver: false };
    const hurry = async (): Promise<string[]> => {
      const seen: string[] = [];
      for (; !disturbance.isOver; await sleep(10)) seen.push(...(await record.sign(hurried, home.key('p256'), 1, 1)));
      return seen;
    };
    const flood = async (): Promise<string[]> => {
      const seen: string[] = [];
      while (!disturbance.isOver) seen.push(...(await record.sign(flooding, home.key('tsu'), 100, timeoutMs)));
      return seen;
    };
    const sockets: TLSSocket[] = [];
    const disturbing = [hurry(), hurry(), ...Array.from({ length: 4 }, flood)];
    const outcomes = await underLoad(async () => {
      for (let count = 0; count < 4; count += 1) sockets.push(askAndNeverRead());
      await sleep(1_500);
    });
    disturbance.isOver = true;
    const seen = (await Promise.all(disturbing)).flat();
    for (const socket of sockets) socket.destroy();
    expect(failures(outcomes)).toEqual([]);
    expect(seen.filter((outcome) => outcome === 'signer_deadline_too_short').length).toBeGreaterThan(0);
    // Whoever floods may be shed.
    const usual = new Set(['signer_deadline_too_short', 'signed', 'signer_overloaded']);
    expect(seen.filter((outcome) => !usual.has(outcome))).toEqual([]);
    expect(signer.log).not.toContain('"reason":"watchdog"');
  });

  /** Sends requests on one connection and takes nothing from it. Its signatures are in the log, answered to nobody. */
  function askAndNeverRead(): TLSSocket {
    const key = home.key('p256');
    const body = JSON.stringify({
      request_id: `never-read-${randomBytes(8).toString('hex')}`,
      timeout_ms: timeoutMs,
      key_id: key.key_id,
      algorithm: key.algorithm,
      digests: Array.from({ length: 5 }, () => ({ digest: randomBytes(32).toString('base64'), context: {} })),
    });
    const head = `POST /v1/signDigests HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = connectTls({
      host: '127.0.0.1',
      port: signer.port,
      ca: home.tls('root.pem'),
      cert: home.tls('other.pem'),
      key: home.tls('other.key'),
    });
    socket.on('error', () => undefined);
    socket.pause();
    for (let count = 0; count < 5; count += 1) socket.write(head + body);
    return socket;
  }

  test('and after all of this the invariants hold', async () => {
    await pickVictim();
    expect(await signer.stop()).toBe(0);
    expect(record.answered.length).toBeGreaterThan(1_000);
    expect(await checkInvariants(home, signers, record)).toEqual([]);
  });
});
