import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JsonObject, verifyAuditLog } from '@sigillum/audit';
import { afterAll, describe, expect, test } from '@jest/globals';
import { checkInvariants } from './check-invariants.ts';
import { type RunningSigner, waitUntil } from './running-signer.ts';
import { SignerHome, testPins } from './signer-home.ts';
import { SigningRecord } from './signing-record.ts';

/** What must hold when a process, a disk or a token behaves as nobody should: nothing leaks, nothing goes on unseen. */
const home = new SignerHome();
afterAll(() => home.remove(), 60_000);

const one = { token: { signers: 1 } };

function firstOf(signer: RunningSigner): number {
  const [pid] = signer.signers();
  if (pid === undefined) throw new Error('no signer process');
  return pid;
}

async function readAudit(signer: RunningSigner): Promise<JsonObject[]> {
  const events: JsonObject[] = [];
  const chain = `hash-signer/${signer.instance}`;
  await verifyAuditLog({ directory: signer.auditDirectory, chain, onEvent: (event) => events.push(event) });
  return events;
}

describe('a disk that hangs', () => {
  test('stops all signing within the deadline, is an alarm, and every signature that did not leave is marked', async () => {
    const preload = home.path('hang-writes.so');
    const source = resolve(import.meta.dirname, 'hang-writes.c');
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', preload, source, '-ldl']);
    const control = home.path('disk-hangs');
    await home.writeConfig('hanging-disk', one);
    const signer = home.launch('hanging-disk', ['env', `LD_PRELOAD=${preload}`, `SIGILLUM_HANG_WRITES=${control}`]);
    await signer.waitUntilReady();
    const record = new SigningRecord();
    const client = home.connect(signer);
    const key = home.key('p256');
    expect(await record.sign(client, key)).toEqual(['signed']);

    writeFileSync(control, '');
    const startedAt = performance.now();
    expect(await record.sign(client, key, 5, 3_000)).toEqual(Array(5).fill('signer_audit_unavailable'));
    // The deadline, not the longest wait of 5 s: half a second is what clients wait beyond it.
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    const signatures = home.shim.readTrace().length;
    expect(await record.sign(client, key, 5, 3_000)).toEqual(Array(5).fill('signer_audit_unavailable'));
    expect(home.shim.readTrace()).toHaveLength(signatures);
    expect(await signer.isReady()).toBe(false);
    expect(await signer.metric('hash_signer_audit_failed')).toBe(1);
    expect(await signer.metric('hash_signer_discarded_signatures_total')).toBe(5);
    expect(signer.log).toContain('the audit log does not answer');
    expect(await client.health()).toMatchObject({ status: 'unavailable', purposes: { seal: 'unavailable' } });

    rmSync(control);
    await waitUntil('the disk answers again', () => signer.isReady());
    expect(await signer.metric('hash_signer_audit_failed')).toBe(0);
    expect(await record.sign(client, key, 2)).toEqual(['signed', 'signed']);
    expect(await signer.stop()).toBe(0);
    const events = await readAudit(signer);
    const name = (event: JsonObject): string => `${String(event['request_id'])} ${String(event['signature_sha256'])}`;
    const withheld = events.filter(({ type }) => type === 'hash_signer.answer_withheld').map(name);
    expect(new Set(withheld).size).toBe(5);
    // What says `signed` and isn't marked was answered, and the reverse.
    const signed = events.filter(({ outcome }) => outcome === 'signed').map(name);
    const answered = record.answered.flatMap(({ requestId, signature }) =>
      signature ? [`${requestId} ${createHash('sha256').update(signature).digest('hex')}`] : [],
    );
    expect(signed.filter((one) => !withheld.includes(one)).toSorted()).toEqual(answered.toSorted());
    expect(await checkInvariants(home, [signer], record)).toEqual([]);
  });
});

test('an audit folder that is taken away ends the daemon, loudly', async () => {
  const signer = await home.start('moved-log', one);
  const client = home.connect(signer);
  expect(await new SigningRecord().sign(client, home.key('p256'))).toEqual(['signed']);
  renameSync(signer.auditDirectory, `${signer.auditDirectory}-away`);
  expect(await signer.waitForExit()).toBe(1);
  expect(signer.log).toContain('its place is gone');
});

describe('a key whose manifest has gone', () => {
  const fill = (folder: string, ...names: string[]): string => {
    mkdirSync(home.path(folder), { recursive: true });
    for (const name of names) cpSync(home.path(`keys/service-${name}.json`), home.path(`${folder}/${name}.json`));
    return folder;
  };

  test('is used no more at once: the last one of its token, or while no process can log in, or beside a broken manifest', async () => {
    const folder = fill('gone', 'p256', 'p384', 'rsa-2048');
    const record = new SigningRecord();
    const signer = await home.start('gone', { manifests: folder });
    const client = home.connect(signer);
    const pids = signer.signers();
    // No new process could log in now.
    home.shim.set(['C_Login return 0x30']);
    rmSync(home.path('gone/p384.json'));
    await signer.reload('config');
    expect(await record.sign(client, home.key('p384'))).toEqual(['signer_key_unknown']);
    expect(await record.sign(client, home.key('p256'))).toEqual(['signed']);
    // A new key can't be taken now; that keeps no old one.
    fill('gone', 'p384');
    rmSync(home.path('gone/rsa-2048.json'));
    await signer.reload('config');
    expect(await record.sign(client, home.key('rsa-2048'))).toEqual(['signer_key_unknown']);
    await waitUntil('the failed reload', async () => {
      return (await signer.metric('hash_signer_reloads_total', 'what="keys"', 'outcome="failed"')) === 1;
    });
    home.shim.clear();
    rmSync(home.path('gone/p384.json'));
    fill('gone', 'rsa-2048');
    await signer.reload('keys');
    await waitUntil('the key is back', async () => {
      return (await record.sign(client, home.key('rsa-2048')))[0] === 'signed';
    });
    await waitUntil('the old ones gone', () => !signer.signers().some((pid) => pids.includes(pid)));

    // One file that is no manifest: nothing of the configuration is taken, but what has gone has gone.
    writeFileSync(home.path('gone/broken.json'), '{');
    rmSync(home.path('gone/rsa-2048.json'));
    await signer.reload('config');
    expect(await signer.metric('hash_signer_reloads_total', 'what="config"', 'outcome="failed"')).toBe(1);
    expect(await record.sign(client, home.key('rsa-2048'))).toEqual(['signer_key_unknown']);
    expect(await record.sign(client, home.key('p256'))).toEqual(['signed']);
    // A folder that isn't there is a disk that isn't mounted, not a hundred keys taken out of use.
    renameSync(home.path('gone'), home.path('gone-away'));
    await signer.reload('config');
    expect(await record.sign(client, home.key('p256'))).toEqual(['signed']);
    // Nor is one in which nothing is.
    mkdirSync(home.path('gone'));
    await signer.reload('config');
    expect(await record.sign(client, home.key('p256'))).toEqual(['signed']);
    expect(signer.log).toContain('There is no key manifest in');
    rmdirSync(home.path('gone'));
    renameSync(home.path('gone-away'), home.path('gone'));
    // Of another daemon's token.
    const foreign = { ...home.key('p384'), token_label: 'another' };
    writeFileSync(home.path('gone/broken.json'), JSON.stringify(foreign));
    rmSync(home.path('gone/p256.json'));
    await signer.reload('keys');
    expect(await record.sign(client, home.key('p256'))).toEqual(['signer_key_unknown']);
    // And it comes back by a reload too.
    fill('gone', 'p256');
    await signer.reload('keys');
    await waitUntil('the key is back', async () => (await record.sign(client, home.key('p256')))[0] === 'signed');
    expect(await signer.stop()).toBe(0);
    expect(await checkInvariants(home, [signer], record)).toEqual([]);
  }, 120_000);

  test('is used no more by what waits already', async () => {
    const folder = fill('queued', 'p256', 'p384');
    const limits = { in_flight_per_purpose: 2 };
    const signer = await home.start('queued', { manifests: folder, limits, token: { signers: 1, lanes: 1 } });
    const record = new SigningRecord();
    home.shim.set(['C_Sign takes 100']);
    const waiting = record.sign(home.connect(signer), home.key('p256'), 90);
    await waitUntil('a queue', async () => (await signer.metric('hash_signer_queue_length')) > 50);
    rmSync(home.path('queued/p256.json'));
    await signer.reload('keys');
    const outcomes = await waiting;
    const signed = outcomes.indexOf('signer_key_unknown');
    expect(signed).toBeGreaterThan(0);
    expect(new Set(outcomes.slice(signed))).toEqual(new Set(['signer_key_unknown']));
    home.shim.clear();
    expect(await signer.stop()).toBe(0);
    expect(await checkInvariants(home, [signer], record)).toEqual([]);
  });

  test('and is destroyed: a process that starts anew does not look for it', async () => {
    const plan = ['stays', 'goes'].map((name) => ({
      name,
      spec: 'p256',
      algorithm: 'ecdsa-p256-sha256',
      purpose: 'seal',
    }));
    const made = home.makeToken('doomed', plan, 'doomed');
    const [stays, goes] = [made.get('stays'), made.get('goes')];
    if (!stays || !goes) throw new Error('no keys');
    const tokens = [{ label: 'doomed', serial: stays.token_serial, pin_file: 'user.pin', signers: 1 }];
    const signer = await home.start('doomed', { tokens, manifests: 'doomed' });
    const client = home.connect(signer);
    const record = new SigningRecord();
    rmSync(home.path('doomed/doomed-goes.json'));
    await signer.reload('keys');
    home.destroyPublicKey(goes.key_id);
    const victim = firstOf(signer);
    process.kill(victim, 'SIGKILL');
    await waitUntil('another process', () => signer.signers().some((pid) => pid !== victim));
    await signer.waitUntilReady();
    expect(await record.sign(client, stays)).toEqual(['signed']);
    expect(await signer.stop()).toBe(0);
  });

  test('leaves a token without keys beside others at a start', async () => {
    const plan = [{ name: 'second', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'timestamp' }];
    const second = home.makeToken('empty', plan, 'unused').get('second');
    if (!second) throw new Error('no key');
    const tokens = [
      { label: 'service', serial: home.key('p256').token_serial, pin_file: 'user.pin', signers: 1 },
      { label: 'empty', serial: second.token_serial, pin_file: 'user.pin', signers: 1 },
    ];
    const signer = await home.start('without-keys', { tokens });
    expect(signer.log).toContain('no manifest names a key on this token that is served');
    expect(await new SigningRecord().sign(home.connect(signer), home.key('p256'))).toEqual(['signed']);
    expect(await signer.stop()).toBe(0);
  });
});

describe('a PIN that was never accepted', () => {
  const countLogins = (): number => home.shim.readTrace().filter(({ what }) => what === 'login').length;

  test.each([
    ['dies', 'C_Login segv'],
    ['hangs', 'C_Login hang'],
    ['is broken', 'C_Login return 0x30'],
  ])('is tried twice when the HSM %s, and then not again, over restarts too', async (_what, rule) => {
    const pin = home.writeSecret('unproven.pin', `${testPins.user}\n`);
    const token = { pin_file: pin, signers: 2 };
    const state = `state-unproven-${rule.replaceAll(' ', '-')}`;
    await home.writeConfig('unproven', { token, state, limits: { start_timeout_ms: 2_000 } });
    home.shim.set([rule]);
    const before = countLogins();
    const signer = home.launch('unproven');
    expect(await signer.waitForExit()).toBe(78);
    expect(countLogins()).toBe(before + 2);
    expect(signer.log).toContain('never said whether the PIN is right');
    expect(await home.launch('unproven').waitForExit()).toBe(78);
    expect(countLogins()).toBe(before + 2);
    home.shim.clear();
    // The operator's word that it may be tried again.
    utimesSync(pin, new Date(), new Date(Date.now() - 60_000));
    const healed = home.launch('unproven');
    await healed.waitUntilReady(2);
    // Once it has worked, no failure of the HSM takes it out of use.
    home.shim.set([rule]);
    for (const victim of healed.signers()) process.kill(victim, 'SIGKILL');
    await waitUntil('more attempts than two', () => countLogins() > before + 6);
    home.shim.clear();
    await healed.waitUntilReady(2);
    expect(await healed.stop()).toBe(0);
  });
});

/** Reads another process's memory, as a debugger would. */
function countInMemory(pid: number, text: string): number {
  const needle = Buffer.from(text, 'latin1');
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  let count = 0;
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, first = '', last = '', mode = ''] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      const from = Number.parseInt(first, 16);
      const length = Number.parseInt(last, 16) - from;
      if (!mode.startsWith('rw') || !(length > 0 && length <= 1 << 30)) continue;
      const bytes = Buffer.alloc(length);
      try {
        // A position beyond 2^53 is the kernel's own.
        readSync(memory, bytes, 0, length, from);
      } catch {
        continue;
      }
      for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) count += 1;
    }
  } finally {
    closeSync(memory);
  }
  return count;
}

/** Another process's memory is root's to read, or its parent's. */
const rootTest = process.getuid?.() === 0 ? test : test.skip;

test('reserved lanes keep a purpose fast while another one floods a slow HSM', async () => {
  const limits = { max_queue_ms: 60_000 };
  const canary = { interval_ms: 600_000 };
  const measure = async (name: string, reserved: object): Promise<number> => {
    const token = { signers: 1, lanes: 2, reserved_lanes: reserved };
    const signer = await home.start(name, { token, limits, canary });
    const [seals, stamps] = [home.connect(signer), home.connect(signer, 'tsa')];
    const record = new SigningRecord();
    home.shim.set(['C_Sign delay 200']);
    const flood = Promise.all([1, 2, 3].map(() => record.sign(stamps, home.key('tsu'), 20, 30_000)));
    await waitUntil('the flood in the HSM', async () => (await signer.metric('http_requests_in_flight')) >= 3);
    const startedAt = performance.now();
    for (let count = 0; count < 5; count += 1) {
      expect(await record.sign(seals, home.key('p256'), 1, 30_000)).toEqual(['signed']);
    }
    const ms = performance.now() - startedAt;
    home.shim.clear();
    expect(new Set((await flood).flat())).toEqual(new Set(['signed']));
    expect(await signer.stop()).toBe(0);
    return ms;
  };
  // One after the other in the same run, so a busy machine slows both: with a lane of its own nobody is before it.
  const shared = await measure('lanes-shared', {});
  const own = await measure('lanes-own', { seal: 1 });
  expect(own).toBeLessThan(shared * 0.75);
});

describe('requests that are refused', () => {
  test('are counted by code: of policy, of unknown keys, of too many connections, of batches that never fit', async () => {
    const rates = [{ purpose: 'seal', per_second: 1_000, burst: 5 }];
    const signer = await home.start('counted', { ...one, rates, limits: { connections_per_client: 2 } });
    const record = new SigningRecord();
    const refused = (code: string): Promise<number> =>
      signer.metric('hash_signer_refused_requests_total', `code="${code}"`);
    const client = home.connect(signer, 'document-service', 1);
    expect(await record.sign(client, home.key('p256'), 5)).toEqual(Array(5).fill('signed'));
    expect(await record.sign(client, home.key('tsu'))).toEqual(['signer_key_forbidden']);
    expect(await refused('signer_key_forbidden')).toBe(1);
    const unknown = { ...home.key('p256'), key_id: 'e'.repeat(32) };
    expect(await record.sign(client, unknown)).toEqual(['signer_key_unknown']);
    expect(await refused('signer_key_unknown')).toBe(1);
    // No waiting helps: six never fit where five do.
    const six = {
      requestId: 'six',
      timeoutMs: 10_000,
      keyId: home.key('p256').key_id,
      algorithm: home.key('p256').algorithm,
      digests: Array.from({ length: 6 }, () => ({ digest: randomBytes(32), context: {} })),
    };
    const answer = client.signDigests(six);
    await expect(answer).rejects.toMatchObject({ code: 'signer_batch_too_large', retryAfterSeconds: undefined });
    expect(await refused('signer_batch_too_large')).toBe(1);
    const crowd = home.connect(signer, 'document-service', 6);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => record.sign(crowd, home.key('rsa-2048'))));
    const shed = outcomes.flat().filter((outcome) => outcome === 'signer_overloaded').length;
    expect(shed).toBeGreaterThan(0);
    expect(await refused('signer_overloaded')).toBe(shed);
    expect(await signer.stop()).toBe(0);
  });
});

describe('a signer process', () => {
  test('opens no debugger for whoever sends it SIGUSR1', async () => {
    const signer = await home.start('debugger', one);
    process.kill(firstOf(signer), 'SIGUSR1');
    // The debugger's line comes within milliseconds.
    await sleep(500);
    expect(await new SigningRecord().sign(home.connect(signer), home.key('p256'))).toEqual(['signed']);
    expect(signer.log).not.toContain('Debugger listening');
    expect(await signer.stop()).toBe(0);
  });

  rootTest('has no copy of the PIN in its memory once it has logged in', async () => {
    const signer = await home.start('memory');
    await new SigningRecord().sign(home.connect(signer), home.key('p256'), 5);
    expect(signer.signers()).toHaveLength(2);
    // What is looked for must be found where it is known to be: in our own memory.
    expect(countInMemory(process.pid, testPins.user)).toBeGreaterThan(0);
    for (const pid of signer.signers()) expect(countInMemory(pid, testPins.user)).toBe(0);
    expect(await signer.stop()).toBe(0);
  });

  const script = resolve(import.meta.dirname, '../../packages/hash-signer/src/signer/main.ts');
  const frame = (type: number, payload: Uint8Array | object): Buffer => {
    const bytes = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes.length + 1);
    head.writeUInt8(type, 4);
    return Buffer.concat([head, bytes]);
  };
  /** What a bare signer process says and how it ends when it is told this. */
  const tell = (bytes: Uint8Array): Promise<{ said: string; code: number | null; signal: string | null }> =>
    new Promise((done) => {
      const child = spawn(process.execPath, ['--conditions=source', script], {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        env: { SOFTHSM2_CONF: home.path('softhsm2.conf'), ...home.shim.environment },
      });
      const pipe = child.stdio[3] as Duplex;
      let said = '';
      pipe.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')));
      pipe.on('error', () => undefined);
      pipe.write(bytes);
      child.on('close', (code, signal) => done({ said, code, signal }));
    });

  test('told what is no frame of ours says so and ends: no crash, no hang', async () => {
    const setup = {
      module: home.shim.module,
      token: { label: 'service', serial: home.key('p256').token_serial },
      pinFile: home.path('user.pin'),
      lanes: 2,
      reservedLanes: {},
      watchdogMs: { ec: 1000, rsa: 1000 },
      inProcess: false,
      returnCodes: [],
      maxInFlight: 10,
      keys: [],
    };
    const configured = frame(1, setup);
    const before = [
      frame(1, Buffer.alloc(0)),
      ...[null, {}, [], { ...setup, lanes: '2' }, { ...setup, module: 7 }, { ...setup, keys: [{}] }].map((value) =>
        frame(1, Buffer.from(JSON.stringify(value))),
      ),
      frame(2, randomBytes(40)),
      frame(99, randomBytes(3)),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 1]),
      Buffer.from([0, 0, 0, 0]),
      Buffer.concat([Buffer.from([0x7f]), randomBytes(200)]),
    ];
    const afterwards = [configured, frame(2, Buffer.from([1])), frame(2, Buffer.alloc(0)), frame(77, Buffer.alloc(0))];
    const cases = [...before, ...afterwards.map((bytes) => Buffer.concat([configured, bytes]))];
    // Those that log in one after the other, as the daemon starts them: SoftHSM writes the token's file anew at each
    // login, and who reads it in that moment finds no token.
    for (let index = 0; index < cases.length; index += index < before.length ? 4 : 1) {
      const some = cases.slice(index, index < before.length ? index + 4 : index + 1);
      const ends = await Promise.all(some.map(tell));
      for (const [at, { said, code, signal }] of ends.entries()) {
        expect({ case: index + at, said: said.slice(said.lastIndexOf('{')) }).toEqual({
          case: index + at,
          said: '{"reason":"protocol"}',
        });
        // With a token open only a kill is safe.
        expect(code === 75 || signal === 'SIGKILL').toBe(true);
      }
    }
  }, 120_000);

  test('whose module makes no session object of a public key says so at the start, and is not started again', async () => {
    home.shim.set(['C_CreateObject return 0x13']);
    await home.writeConfig('no-objects', one);
    const signer = home.launch('no-objects');
    expect(await signer.waitForExit()).toBe(78);
    expect(signer.log).toContain('refuses C_CreateObject');
    expect(signer.log.match(/refuses C_CreateObject[^"]*key ([0-9a-f]{32})/)).not.toBeNull();
    home.shim.clear();
    // RSA is verified in the daemon and needs none.
    const plan = [{ name: 'only-rsa', spec: 'rsa-2048', algorithm: 'rsassa-pkcs1-v1_5-sha256', purpose: 'seal' }];
    const rsa = home.makeToken('rsa-alone', plan, 'keys-rsa').get('only-rsa');
    if (!rsa) throw new Error('no key');
    home.shim.set(['C_CreateObject return 0x13', 'C_Sign return 0xb3 count=1']);
    const tokens = [{ label: 'rsa-alone', serial: rsa.token_serial, pin_file: 'user.pin', signers: 1, lanes: 2 }];
    const other = await home.start('rsa-alone', { tokens, manifests: 'keys-rsa' });
    expect(await new SigningRecord().sign(home.connect(other), rsa)).toEqual(['signed']);
    // Nor sessions to verify on: the login's, and one for each lane. The lost one shows how many are open.
    expect(home.shim.readTrace().at(-1)).toMatchObject({ what: 'fault', sessions: 3 });
    home.shim.clear();
    expect(await other.stop()).toBe(0);
  });
});
