import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SignerClient } from '@sigillum/signer-rpc';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkInvariants } from './check-invariants.ts';
import { type RunningSigner, waitUntil } from './running-signer.ts';
import { SignerHome } from './signer-home.ts';
import { SigningRecord } from './signing-record.ts';

/**
 * What an HSM can do to us, row by row, against real processes: a shim in front of SoftHSM makes it happen in one or
 * both signer processes. Beyond the rows that only make sense in one process (packages/pkcs11/src/pkcs11.test.ts).
 */
let home: SignerHome;
let signer: RunningSigner;
const signers: RunningSigner[] = [];
let client: SignerClient;
const record = new SigningRecord();

beforeAll(async () => {
  home = new SignerHome();
  signer = await home.start('table', { canary: { interval_ms: 60_000 } });
  signers.push(signer);
  client = home.connect(signer);
}, 120_000);

afterAll(async () => {
  await home?.remove();
}, 60_000);

const key = (): ReturnType<SignerHome['key']> => home.key('p256');
const countFaults = (pid: number): number =>
  home.shim.readTrace().filter((event) => event.pid === pid && event.what === 'fault').length;

/** Pauses between starts grow with each death; a fresh daemon now and then keeps the tests short. */
const replacementsPerDaemon = 4;
let replacements = 0;

/** Both signer processes ready, and no faults. */
async function recover(): Promise<void> {
  home.shim.clear();
  if ((await signer.metric('hash_signer_usable_signers')) < 2) replacements += 1;
  if (replacements >= replacementsPerDaemon) {
    replacements = 0;
    expect(await signer.stop()).toBe(0);
    signer = home.launch('table');
    signers.push(signer);
  }
  await signer.waitUntilReady(2);
}

async function pickVictim(): Promise<number> {
  await recover();
  const [victim] = signer.signers();
  if (victim === undefined) throw new Error('no signer process');
  return victim;
}

/** Requests one after the other until the faulty process has met its fault, then once more. */
async function signUntil(isMet: () => boolean, name = 'p256'): Promise<string[]> {
  const outcomes: string[] = [];
  for (let round = 0; round < 50; round += 1) {
    const four = [1, 2, 3, 4].map(() => record.sign(client, home.key(name)));
    outcomes.push(...(await Promise.all(four)).flat());
    if (isMet()) return outcomes;
  }
  throw new Error(`the fault was never met: ${outcomes.join()}`);
}

describe('a return code of C_Sign in one of two processes', () => {
  const codes: [string, number, 'request' | 'session' | 'busy' | 'unknown'][] = [
    ['ARGUMENTS_BAD', 0x07, 'request'],
    ['DATA_LEN_RANGE', 0x21, 'request'],
    ['KEY_FUNCTION_NOT_PERMITTED', 0x68, 'request'],
    ['MECHANISM_INVALID', 0x70, 'request'],
    ['KEY_HANDLE_INVALID', 0x60, 'session'],
    ['OPERATION_ACTIVE', 0x90, 'session'],
    ['OPERATION_NOT_INITIALIZED', 0x91, 'session'],
    ['SESSION_CLOSED', 0xb0, 'session'],
    ['SESSION_HANDLE_INVALID', 0xb3, 'session'],
    ['HOST_MEMORY', 0x02, 'busy'],
    ['DEVICE_MEMORY', 0x31, 'busy'],
    ['SESSION_COUNT', 0xb1, 'busy'],
    ['TOKEN_RESOURCE_EXCEEDED', 0x201, 'busy'],
    ['FUNCTION_FAILED', 0x06, 'unknown'],
    ['one of a vendor', 0x80000123, 'unknown'],
    ['one of version 3', 0x203, 'unknown'],
  ];

  test.each(codes)(
    '%s (0x%i) is treated as %s, and the next signature of that process is right',
    async (_name, code, kind) => {
      const victim = await pickVictim();
      const before = countFaults(victim);
      home.shim.set([`C_Sign return ${code} count=1`], victim);
      const outcomes = await signUntil(() => countFaults(victim) > before);
      const failed = outcomes.filter((outcome) => outcome !== 'signed');
      // Never tried again: it would fail again. Everything else is made good without anybody noticing.
      expect(failed).toEqual(kind === 'request' ? ['signer_operation_failed'] : []);
      expect(signer.signers()).toContain(victim);
      home.shim.clear();
      expect(await record.sign(client, key(), 20)).toEqual(Array(20).fill('signed'));
    },
  );

  test.each([
    ['GENERAL_ERROR', 0x05],
    ['DEVICE_ERROR', 0x30],
    ['DEVICE_REMOVED', 0x32],
    ['TOKEN_NOT_PRESENT', 0xe0],
    ['USER_NOT_LOGGED_IN', 0x101],
    ['CRYPTOKI_NOT_INITIALIZED', 0x190],
    ['PIN_EXPIRED in the middle of work', 0xa3],
  ])('%s restarts that process, and its digests go to the sibling', async (_name, code) => {
    const victim = await pickVictim();
    home.shim.set([`* return ${code}`], victim);
    const outcomes = await signUntil(() => !signer.signers().includes(victim));
    expect(outcomes.filter((outcome) => outcome !== 'signed')).toEqual([]);
    await recover();
    expect(signer.signers()).not.toContain(victim);
  });
});

describe('a function that fails, hangs or dies', () => {
  /** A hang is noticed by the process itself or, by its silence, by the daemon: whoever comes first. */
  const countExits = async (reason: string): Promise<number> => {
    const reasons = reason === 'watchdog' ? ['watchdog', 'hang'] : [reason];
    const metrics = reasons.map((one) => signer.metric('hash_signer_signer_exits_total', `reason="${one}"`));
    return (await Promise.all(metrics)).reduce((sum, count) => sum + count, 0);
  };

  test.each([
    ['hangs in C_Sign', 'C_Sign hang', 'watchdog'],
    ['hangs in C_SignInit, which blocks the whole process', 'C_SignInit hang', 'watchdog'],
    ['hangs in C_Verify', 'C_Verify hang', 'watchdog'],
    ['hangs in C_VerifyInit, which blocks it too', 'C_VerifyInit hang', 'watchdog'],
    ['hangs in C_OpenSession after a lost session', 'C_OpenSession hang; C_Sign return 0xb3 count=1', 'watchdog'],
    ['dies in C_OpenSession after a lost session', 'C_OpenSession segv; C_Sign return 0xb3 count=1', 'died'],
    ['hangs in C_FindObjects after a lost key handle', 'C_FindObjects hang; C_Sign return 0x60 count=1', 'watchdog'],
    ['aborts in C_SignInit', 'C_SignInit abort', 'died'],
    ['dies of SIGSEGV in C_Sign', 'C_Sign segv', 'died'],
    ['dies of SIGSEGV in C_Verify', 'C_Verify segv', 'died'],
  ])('one process %s: it is replaced and no request fails', async (_name, rule, reason) => {
    const victim = await pickVictim();
    const before = await countExits(reason);
    home.shim.set(rule.split('; '), victim);
    const outcomes = await signUntil(() => !signer.signers().includes(victim));
    expect(outcomes.filter((outcome) => outcome !== 'signed')).toEqual([]);
    await waitUntil('the end is counted', async () => (await countExits(reason)) === before + 1);
  });

  test.each([
    ['C_SignInit return 0x6 count=1', 'p256'],
    ['C_SignInit return 0xb3 count=1', 'rsa-2048'],
    ['C_VerifyInit return 0x6 count=1', 'p384'],
    ['C_Verify return 0xb3 count=1', 'p384'],
    ['C_OpenSession return 0xb1 count=1', 'p256'],
  ])('%s in one process costs nobody a signature', async (rule, name) => {
    const victim = await pickVictim();
    const before = countFaults(victim);
    // A session is opened when one was lost.
    const rules = rule.startsWith('C_OpenSession') ? [rule, 'C_Sign return 0xb3 count=1'] : [rule];
    home.shim.set(rules, victim);
    const outcomes = await signUntil(() => countFaults(victim) >= before + rules.length, name);
    expect(outcomes.filter((outcome) => outcome !== 'signed')).toEqual([]);
  });

  test.each([
    // The module says that its own signature is not a right call: nobody knows whether it is right, so it doesn't leave.
    ['C_Verify return 0x21 count=1', ['signer_operation_failed']],
    ['C_VerifyInit return 0x70 count=1', ['signer_operation_failed']],
    ['C_Verify return 0xb1 count=1', []],
  ])('%s in one process: %j', async (rule, expected) => {
    const victim = await pickVictim();
    const before = countFaults(victim);
    home.shim.set([rule], victim);
    const outcomes = await signUntil(() => countFaults(victim) > before);
    expect(outcomes.filter((outcome) => outcome !== 'signed')).toEqual(expected);
    expect(signer.signers()).toContain(victim);
  });

  test.each([['C_Verify return 0x30'], ['C_VerifyInit return 0x101']])(
    '%s: a fresh process, and no request fails',
    async (rule) => {
      const victim = await pickVictim();
      home.shim.set([rule], victim);
      const outcomes = await signUntil(() => !signer.signers().includes(victim));
      expect(outcomes.filter((outcome) => outcome !== 'signed')).toEqual([]);
    },
  );

  test.each([
    ['C_SignInit delay 60 count=4'],
    ['C_VerifyInit delay 60 count=4'],
    ['C_Verify delay 60 count=4'],
    ['C_OpenSession delay 60; C_Sign return 0xb3 count=1'],
    ['C_FindObjects delay 60; C_Sign return 0x60 count=1'],
  ])('%s: latency within the watchdog is not a fault', async (rule) => {
    const victim = await pickVictim();
    home.shim.set(rule.split('; '), victim);
    const outcomes = (await Promise.all([1, 2, 3].map(() => record.sign(client, key(), 6)))).flat();
    expect(outcomes.filter((outcome) => outcome !== 'signed')).toEqual([]);
    expect(signer.signers()).toContain(victim);
  });

  test('a key that is not found again after a lost session fails that digest alone', async () => {
    const victim = await pickVictim();
    const before = countFaults(victim);
    home.shim.set(['C_Sign return 0x60 count=1', 'C_FindObjects return 0x6 count=1'], victim);
    const outcomes = await signUntil(() => countFaults(victim) >= before + 2);
    expect(outcomes.filter((outcome) => outcome !== 'signed')).toEqual([]);
  });

  test('a process that only fails is replaced, while its sibling does the work', async () => {
    const victim = await pickVictim();
    home.shim.set(['C_Sign return 0x6'], victim);
    const outcomes = await signUntil(() => !signer.signers().includes(victim));
    expect(outcomes.filter((outcome) => outcome !== 'signed')).toEqual([]);
    await waitUntil('the end is counted', async () => (await countExits('recycled')) > 0);
  });
});

describe('the whole token', () => {
  test('goes away and comes back: 503 meanwhile, signatures afterwards, by itself', async () => {
    await recover();
    renameSync(home.path('tokens'), home.path('tokens-away'));
    try {
      await waitUntil('no signer', async () => {
        const [outcome] = await record.sign(client, key(), 1, 5_000);
        return outcome === 'signer_unavailable' && (await signer.metric('hash_signer_usable_signers')) === 0;
      });
    } finally {
      // SoftHSM makes an empty folder when it finds none.
      rmSync(home.path('tokens'), { recursive: true, force: true });
      renameSync(home.path('tokens-away'), home.path('tokens'));
    }
    await signer.waitUntilReady(2);
    expect(await record.sign(client, key())).toEqual(['signed']);
  });

  test('fails at every call: the breaker opens, callers get 503 at once, and a trial closes it', async () => {
    await recover();
    const opened = await signer.metric('hash_signer_breaker_opened_total');
    home.shim.set(['C_Sign return 0x6']);
    await waitUntil('the breaker open', async () => {
      await Promise.all(Array.from({ length: 8 }, () => record.sign(client, key(), 1, 5_000)));
      return (await signer.metric('hash_signer_breaker_opened_total')) > opened;
    });
    expect(await signer.isReady()).toBe(false);
    expect(await record.sign(client, key(), 1, 5_000)).toEqual(['signer_unavailable']);
    home.shim.clear();
    await signer.waitUntilReady();
    expect(await record.sign(client, key())).toEqual(['signed']);
    expect(signer.log).toContain('the token signs again');
  });

  test('has no room for a while: digests wait and are asked again', async () => {
    await recover();
    home.shim.set(['C_SignInit return 0xb1 count=3']);
    expect(await record.sign(client, key(), 4)).toEqual(Array(4).fill('signed'));
    expect(await signer.metric('hash_signer_hsm_failures_total', 'class="busy"')).toBeGreaterThan(0);
  });

  test('is slow: the wait ends at the deadline with 504, nobody is killed, and what came late is recorded', async () => {
    await recover();
    const before = signer.signers();
    home.shim.set(['C_Sign delay 400']);
    // 16 in 4 lanes take 1.6 s, 60 take 6: more than the time left, whatever the machine.
    const requestId = record.newId();
    const outcomes = await record.sign(client, key(), 60, 2_600, requestId);
    expect(outcomes).toContain('signer_timeout');
    home.shim.clear();
    await waitUntil('the lines of what came late', async () => {
      return (await signer.metric('hash_signer_discarded_signatures_total')) > 0;
    });
    expect(signer.signers().sort()).toEqual(before.sort());
    expect(await record.sign(client, key())).toEqual(['signed']);
  });
});

describe('a start', () => {
  test.each(['C_Login', 'C_FindObjects'])('that hangs in %s is killed and tried again', async (name) => {
    home.shim.set([`${name} hang`]);
    await home.writeConfig('starting', { limits: { start_timeout_ms: 1_500 }, token: { signers: 1 } });
    const starting = home.launch('starting');
    await waitUntil('a killed start', () => starting.log.includes('"reason":"died"'));
    home.shim.clear();
    await starting.waitUntilReady();
    expect(await starting.stop()).toBe(0);
    await recover();
  });

  test.each([
    ['C_Initialize return 0x5', 'module-unusable'],
    ['C_OpenSession return 0xb1', 'token-down'],
    ['C_Login return 0x30', 'token-down'],
    ['C_FindObjectsInit return 0x32', 'token-down'],
    ['C_FindObjects abort', 'died'],
  ])('with %s goes on trying, and no PIN is burnt', async (rule, reason) => {
    // A PIN that has worked; one that never has is tried twice (guards.test.ts).
    if (rule.startsWith('C_Login')) await (await home.start('starting', { token: { signers: 1 } })).stop();
    home.shim.set([rule]);
    await home.writeConfig('starting', { token: { signers: 1 } });
    const starting = home.launch('starting');
    await waitUntil(
      'two attempts',
      () => (starting.log.match(new RegExp(`"reason":"${reason}"`, 'g')) ?? []).length > 1,
    );
    home.shim.clear();
    await starting.waitUntilReady();
    const state = join(starting.auditDirectory, 'state');
    expect(existsSync(state) ? readdirSync(state).join() : '').not.toContain('pin-rejected');
    expect(await starting.stop()).toBe(0);
    await recover();
  });

  test.each([
    ['PIN_INCORRECT', 0xa0],
    ['PIN_LOCKED', 0xa4],
    ['USER_PIN_NOT_INITIALIZED', 0x102],
  ])('whose login says %s tries once, with four processes wanted, and never again: exit 78', async (_name, code) => {
    home.shim.set([`C_Login return ${code}`]);
    const before = home.shim.readTrace().filter(({ what }) => what === 'login').length;
    await home.writeConfig('latched', { token: { signers: 4 }, state: `state-${code}` });
    const countLogins = (): number => home.shim.readTrace().filter(({ what }) => what === 'login').length - before;
    expect(await home.launch('latched').waitForExit()).toBe(78);
    expect(countLogins()).toBe(1);
    expect(await home.launch('latched').waitForExit()).toBe(78);
    expect(countLogins()).toBe(1);
    expect(readdirSync(home.path(`state-${code}`)).join()).toMatch(/\bpin-rejected-[0-9a-f]+\.json$/);
    await recover();
  });
});

describe('an end', () => {
  test('waits for what is in flight, closes every session and leaves nothing', async () => {
    await recover();
    home.shim.set(['C_Sign delay 300']);
    const inFlight = Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => record.sign(client, key())));
    await waitUntil('work in the HSM', async () => (await signer.metric('http_requests_in_flight')) >= 8);
    const pids = signer.signers();
    expect(await signer.stop()).toBe(0);
    expect((await inFlight).flat()).toEqual(Array(8).fill('signed'));
    const ends = home.shim.readTrace().filter(({ pid, what }) => what === 'finalize' && pids.includes(pid));
    expect(ends.map(({ sessions }) => sessions)).toEqual([0, 0]);
  });

  test('after all of this the invariants hold', async () => {
    expect(record.answered.length).toBeGreaterThan(300);
    expect(await checkInvariants(home, signers, record)).toEqual([]);
    const [segment] = readdirSync(signer.auditDirectory).filter((name) => name.endsWith('.jsonl'));
    expect(statSync(join(signer.auditDirectory, segment ?? '')).mode & 0o077).toBe(0);
    expect(readFileSync(join(signer.auditDirectory, segment ?? ''), 'utf8')).not.toContain('SoftHSM');
  });
});
