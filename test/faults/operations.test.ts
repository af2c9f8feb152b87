import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { verifyAuditLog } from '@sigillum/audit';
import { afterAll, describe, expect, test } from '@jest/globals';
import { checkInvariants } from './check-invariants.ts';
import { type RunningSigner, waitUntil } from './running-signer.ts';
import { SignerHome, testPins } from './signer-home.ts';
import { SigningRecord } from './signing-record.ts';

/** What an operator meets: wrong signatures, reloads, rates, full disks, several tokens, and what may be read. */
const home = new SignerHome();
afterAll(() => home.remove(), 60_000);

const one = { token: { signers: 1 } };

describe('a wrong signature', () => {
  // CKM_ECDSA, CKM_RSA_PKCS_PSS, CKM_RSA_PKCS
  const algorithms: [string, string, string][] = [
    ['p256', 'C_Sign corrupt mech=0x1041', 'ecdsa-p256-sha256'],
    ['p384', 'C_Sign zero mech=0x1041', 'ecdsa-p384-sha384'],
    ['rsa-pss-3072', 'C_Sign corrupt mech=0xd', 'rsassa-pss-sha256'],
    ['rsa-2048', 'C_Sign corrupt mech=0x1', 'rsassa-pkcs1-v1_5-sha256'],
  ];

  test('of any algorithm never leaves; it is counted and alarmed, and its key is out of use until a person says so', async () => {
    const changes = { canary: { interval_ms: 600_000 } };
    let signer = await home.start('wrong', changes);
    const record = new SigningRecord();
    let client = home.connect(signer);
    for (const [name, rule, algorithm] of algorithms) {
      home.shim.set([rule]);
      expect(await record.sign(client, home.key(name))).toEqual(['signer_signature_wrong']);
      home.shim.clear();
      expect(await record.sign(client, home.key(name))).toEqual(['signer_key_quarantined']);
      expect(await signer.metric('hash_signer_wrong_signatures_total', `algorithm="${algorithm}"`)).toBe(1);
    }
    expect(await signer.metric('hash_signer_quarantined_keys')).toBe(4);
    expect(signer.log.match(/wrong signature from the HSM, key quarantined/g)).toHaveLength(4);
    expect(await client.health()).toMatchObject({ status: 'unavailable', purposes: { seal: 'unavailable' } });
    // The other purpose's key is not touched.
    expect(await record.sign(home.connect(signer, 'tsa'), home.key('tsu'))).toEqual(['signed']);
    expect(await signer.stop()).toBe(0);

    signer = home.launch('wrong');
    await signer.waitUntilReady();
    client = home.connect(signer);
    for (const [name] of algorithms) {
      expect(await record.sign(client, home.key(name))).toEqual(['signer_key_quarantined']);
    }
    const state = join(signer.auditDirectory, 'state');
    rmSync(join(state, `quarantined-${home.key('p256').key_id}.json`));
    await signer.reload('config');
    expect(await record.sign(client, home.key('p256'))).toEqual(['signed']);
    expect(await record.sign(client, home.key('p384'))).toEqual(['signer_key_quarantined']);
    expect(await signer.metric('hash_signer_quarantined_keys')).toBe(3);
    expect(await signer.stop()).toBe(0);
    expect(await checkInvariants(home, [signer], record)).toEqual([]);
  });

  test('of the canary makes its token unhealthy', async () => {
    home.shim.set(['C_Sign corrupt']);
    await home.writeConfig('sick-canary', one);
    const signer = home.launch('sick-canary');
    await waitUntil('the alarm', () => signer.log.includes('the canary signature failed'));
    expect(await signer.isReady()).toBe(false);
    expect(await signer.metric('hash_signer_canaries_total', 'outcome="failed"')).toBeGreaterThan(0);
    home.shim.clear();
    await signer.stop();
  });
});

describe('a reload', () => {
  test('changes policy and rates for open connections too; a broken configuration changes nothing', async () => {
    const signer = await home.start('reload', one);
    const record = new SigningRecord();
    const client = home.connect(signer);
    const p256 = home.key('p256');
    expect(await record.sign(client, p256)).toEqual(['signed']);

    const other = { ...one, clients: [home.client('tsa', ['timestamp'])] };
    await home.writeConfig('reload', other);
    await signer.reload('config');
    expect(await record.sign(client, p256)).toEqual(['signer_client_unknown']);

    const pin = (file: string): string =>
      createHash('sha256')
        .update(new X509Certificate(home.tls(file)).publicKey.export({ format: 'der', type: 'spki' }))
        .digest('hex');
    const pinned = (file: string) => ({ ...home.client('document-service', ['seal']), spki_sha256: [pin(file)] });
    await home.writeConfig('reload', { ...one, clients: [pinned('tsa.pem')] });
    await signer.reload('config');
    expect(await record.sign(client, p256)).toEqual(['signer_client_unknown']);
    const rates = [
      { key_id: p256.key_id, per_second: 0.01, burst: 5, per_day: 1_000 },
      { purpose: 'seal', per_day: 3 },
    ];
    await home.writeConfig('reload', { ...one, clients: [pinned('document-service.pem')], rates });
    await signer.reload('config');
    expect(await record.sign(client, p256, 5)).toEqual(Array(5).fill('signed'));
    await expect(
      client.signDigests({
        requestId: 'too-often',
        timeoutMs: 10_000,
        keyId: p256.key_id,
        algorithm: p256.algorithm,
        digests: [{ digest: randomBytes(32), context: {} }],
      }),
    ).rejects.toMatchObject({ code: 'signer_rate_exceeded', retryAfterSeconds: expect.any(Number) });
    expect(await record.sign(client, home.key('p384'), 3)).toEqual(Array(3).fill('signed'));
    expect(await record.sign(client, home.key('p384'))).toEqual(['signer_daily_limit_reached']);
    // A key has its own count.
    expect(await record.sign(client, home.key('rsa-2048'))).toEqual(['signed']);

    writeFileSync(
      home.path('reload.yaml'),
      readFileSync(home.path('reload.yaml'), 'utf8').replace('clients', 'customers'),
    );
    await signer.reload('config');
    expect(signer.log).toContain('the configuration is not usable, the old one stays');
    expect(await record.sign(client, home.key('rsa-2048'))).toEqual(['signed']);
    expect(await signer.stop()).toBe(0);

    // The day's count outlives the process: it is in the audit log.
    await home.writeConfig('reload', { ...one, rates });
    const next = home.launch('reload');
    await next.waitUntilReady();
    const again = home.connect(next);
    expect(await record.sign(again, home.key('p384'))).toEqual(['signer_daily_limit_reached']);
    expect(await record.sign(again, home.key('rsa-2048'))).toEqual(['signed']);
    expect(await record.sign(again, home.key('rsa-2048'))).toEqual(['signer_daily_limit_reached']);
    expect(await next.stop()).toBe(0);
  });

  test('takes new keys and certificates without losing a request, and keeps the old ones when the new are no good', async () => {
    const folder = 'keys-reload';
    cpSync(home.path('keys'), home.path(folder), { recursive: true });
    rmSync(home.path(`${folder}/service-p384.json`));
    for (const end of ['pem', 'key']) cpSync(home.path(`tls/hash-signer.${end}`), home.path(`tls/renewed.${end}`));
    const tls = { certificate: 'tls/renewed.pem', key: 'tls/renewed.key', client_roots: 'tls/root.pem' };
    const signer = await home.start('keys', { manifests: folder, tls });
    const record = new SigningRecord();
    const client = home.connect(signer);
    expect(await record.sign(client, home.key('p384'))).toEqual(['signer_key_unknown']);
    const before = signer.signers();

    cpSync(home.path('keys/service-p384.json'), home.path(`${folder}/service-p384.json`));
    const load = { isDone: false };
    const signing = (async () => {
      const outcomes: string[] = [];
      while (!load.isDone) outcomes.push(...(await record.sign(client, home.key('p256'))));
      return outcomes;
    })();
    await signer.reload('keys');
    await waitUntil('the old ones gone', () => !signer.signers().some((pid) => before.includes(pid)));
    load.isDone = true;
    expect(new Set(await signing)).toEqual(new Set(['signed']));
    expect(await record.sign(client, home.key('p384'))).toEqual(['signed']);
    expect((await client.keys()).map(({ name }) => name)).toContain('p384');

    const stray = { ...home.key('p384'), key_id: 'f'.repeat(32) };
    writeFileSync(home.path(`${folder}/stray.json`), JSON.stringify(stray));
    await signer.reload('keys');
    expect(await signer.metric('hash_signer_reloads_total', 'what="keys"', 'outcome="failed"')).toBe(1);
    expect(await record.sign(client, home.key('p384'))).toEqual(['signed']);

    // TLS files that change are taken without a signal; first the certificate alone, which doesn't fit the old key.
    const serialOf = (): Promise<string> =>
      new Promise((done, fail) => {
        const socket = connectTls(
          {
            host: '127.0.0.1',
            port: signer.port,
            ca: home.tls('root.pem'),
            cert: home.tls('tsa.pem'),
            key: home.tls('tsa.key'),
          },
          () => {
            done(socket.getPeerCertificate().serialNumber);
            socket.destroy();
          },
        );
        socket.on('error', fail);
      });
    const old = await serialOf();
    home.issue('hash-signer', 'serverAuth', 'DNS:localhost,IP:127.0.0.1,', 'next');
    cpSync(home.path('tls/next.pem'), home.path('tls/renewed.pem'));
    await waitUntil('half of a renewal noticed', () => signer.log.includes('the TLS files are not usable'));
    expect(await serialOf()).toBe(old);
    cpSync(home.path('tls/next.key'), home.path('tls/renewed.key'));
    await waitUntil('the renewed certificate', async () => (await serialOf()) !== old);
    expect(await signer.stop()).toBe(0);
  });

  test('asked for during the start comes after it, and many at once are few', async () => {
    await home.writeConfig('early', one);
    const signer = home.launch('early');
    // The process is there and doesn't sign yet, or just does.
    await waitUntil('a sign of life', async () => {
      return (await fetch(`http://127.0.0.1:${signer.internalPort}/healthz`).catch(() => undefined))?.ok === true;
    });
    for (let count = 0; count < 20; count += 1) signer.child.kill('SIGHUP');
    await signer.waitUntilReady();
    await waitUntil('a reload', async () => (await signer.metric('hash_signer_reloads_total', 'what="config"')) > 0);
    for (let count = 0; count < 20; count += 1) signer.child.kill('SIGHUP');
    expect(await new SigningRecord().sign(home.connect(signer), home.key('p256'))).toEqual(['signed']);
    // One that comes with the end changes nothing about it.
    signer.child.kill('SIGTERM');
    signer.child.kill('SIGHUP');
    expect(await signer.waitForExit()).toBe(0);
  });

  test.each([
    ['certificate', 'tls/garbage.pem', 'no certificate', { certificate: 'tls/garbage.pem' }],
    ['key', 'tls/tsa.key', 'is not that of', { key: 'tls/tsa.key' }],
    ['key that others may read', 'tls/open.key', 'readable by its owner only', { key: 'tls/open.key' }],
    ['list of roots', 'tls/empty.pem', 'no certificate', { client_roots: 'tls/empty.pem' }],
  ])('with a %s that is no good keeps the old TLS files, and says which file', async (_what, file, why, broken) => {
    for (const name of ['garbage', 'empty']) writeFileSync(home.path(`tls/${name}.pem`), name === 'empty' ? '' : 'x');
    writeFileSync(home.path('tls/open.key'), home.tls('hash-signer.key'), { mode: 0o644 });
    const good = { certificate: 'tls/hash-signer.pem', key: 'tls/hash-signer.key', client_roots: 'tls/root.pem' };
    const signer = await home.start('half-tls', one);
    await home.writeConfig('half-tls', { ...one, tls: { ...good, ...broken } });
    await signer.reload('tls');
    expect(await signer.metric('hash_signer_reloads_total', 'what="tls"', 'outcome="failed"')).toBe(1);
    const line = signer.log.split('\n').find((text) => text.includes('the TLS files are not usable')) ?? '';
    expect(line).toContain(home.path(file));
    expect(line).toContain(why);
    expect(await new SigningRecord().sign(home.connect(signer), home.key('p256'))).toEqual(['signed']);
    await home.writeConfig('half-tls', one);
    await signer.reload('tls');
    expect(await signer.metric('hash_signer_reloads_total', 'what="tls"', 'outcome="ok"')).toBe(1);
    expect(await signer.stop()).toBe(0);
  });
});

describe('connections', () => {
  const mute = (port: number, bytes?: Uint8Array): Socket => {
    const socket = connect(port, '127.0.0.1', () => bytes && socket.write(bytes));
    return socket.on('error', () => undefined);
  };
  const idle = (port: number, name: string): TLSSocket => {
    const identity = { ca: home.tls('root.pem'), cert: home.tls(`${name}.pem`), key: home.tls(`${name}.key`) };
    const socket = connectTls({ host: '127.0.0.1', port, ...identity });
    socket.resume();
    return socket.on('error', () => undefined);
  };
  const signsSoon = async (signer: RunningSigner, name: string): Promise<void> => {
    const client = home.connect(signer, name);
    await waitUntil(`${name} has a signature`, async () => {
      return (await new SigningRecord().sign(client, home.key('p256')))[0] === 'signed';
    });
  };

  test('that never speak, or stop in the handshake, keep nobody out', async () => {
    // Longer than the test may take: only their giving way can help.
    const limits = { max_connections: 16, handshake_ms: 60_000 };
    const signer = await home.start('mute', { ...one, limits });
    const half = Buffer.from('160301020001', 'hex');
    const sockets = Array.from({ length: 60 }, (_, index) => mute(signer.port, index % 2 === 0 ? half : undefined));
    await signsSoon(signer, 'other');
    for (const socket of sockets) socket.destroy();
    expect(await signer.stop()).toBe(0);
  });

  test('that never speak end after the time for a handshake', async () => {
    const signer = await home.start('short', { ...one, limits: { handshake_ms: 300 } });
    const sockets = [mute(signer.port), mute(signer.port, Buffer.from('160301020001', 'hex'))];
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    expect(await signer.stop()).toBe(0);
  });

  test('count for their client from the handshake on: too many of one take none from the others', async () => {
    const limits = { connections_per_client: 3, max_connections: 12 };
    const signer = await home.start('greedy', { ...one, limits });
    const sockets = Array.from({ length: 10 }, () => idle(signer.port, 'document-service'));
    let closed = 0;
    for (const socket of sockets) socket.once('close', () => (closed += 1));
    await waitUntil('those beyond the share are closed', () => closed >= 7);
    await signsSoon(signer, 'other');
    for (const socket of sockets) socket.destroy();
    // One beyond the share that asks is told so.
    await signsSoon(signer, 'document-service');
    const client = home.connect(signer, 'document-service');
    const outcomes = (
      await Promise.all(Array.from({ length: 6 }, () => new SigningRecord().sign(client, home.key('p256'))))
    ).flat();
    expect(outcomes).toContain('signer_overloaded');
    expect(await signer.stop()).toBe(0);
  });
});

describe('tokens and vendors', () => {
  test('one token that is down leaves the other at work, each with its own processes, lanes and profile', async () => {
    const plan = [{ name: 'second', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'timestamp' }];
    const second = home.makeToken('second', plan, 'keys-two').get('second');
    if (!second) throw new Error('no key');
    for (const name of readdirSync(home.path('keys'))) cpSync(home.path(`keys/${name}`), home.path(`keys-two/${name}`));
    const profile = {
      version: 1,
      name: 'throttling',
      tried: false,
      module: 'x',
      lanes: 3,
      return_codes: { '0x6': 'busy' },
    };
    writeFileSync(home.path('profile.yaml'), JSON.stringify(profile));
    const tokens = [
      {
        label: 'service',
        serial: home.key('p256').token_serial,
        pin_file: 'user.pin',
        signers: 1,
        reserved_lanes: { seal: 1 },
      },
      { label: 'second', serial: second.token_serial, pin_file: 'user.pin', signers: 1 },
    ];
    const pkcs11 = {
      module: home.shim.module,
      softhsm_conf: 'softhsm2.conf',
      environment: home.shim.environment,
      profile: 'profile.yaml',
    };
    const signer = await home.start('two-tokens', { tokens, pkcs11, manifests: 'keys-two' });
    expect(signer.log).toContain('this vendor profile was never tried');
    const record = new SigningRecord();
    const [seals, stamps] = [home.connect(signer), home.connect(signer, 'tsa')];
    expect(await record.sign(seals, home.key('p256'))).toEqual(['signed']);
    expect(await record.sign(stamps, second, 10)).toEqual(Array(10).fill('signed'));
    // FUNCTION_FAILED is this vendor's way of throttling: waiting helps, and no process is to blame.
    const pids = signer.signers();
    home.shim.set(['C_Sign return 0x6 count=2']);
    expect(await record.sign(seals, home.key('p256'), 2)).toEqual(['signed', 'signed']);
    home.shim.clear();
    expect(await signer.metric('hash_signer_hsm_failures_total', 'class="busy"')).toBe(2);
    expect(signer.signers()).toEqual(pids);
    expect(await signer.stop()).toBe(0);
  });
});

/** A tmpfs of the test's own: root's alone, and not in every container. */
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

describe('the audit log', () => {
  (canMount ? test : test.skip)(
    'on a full disk means no signature, said loudly, and a daemon that signs again when there is room',
    async () => {
      const disk = home.path('small-disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk]);
      try {
        const signer = await home.start('full-disk', { ...one, audit: { directory: disk }, state: 'state-full' });
        const record = new SigningRecord();
        const client = home.connect(signer);
        // Lines until there is no room: the rest of the answers must not be signatures.
        let last: readonly string[] = [];
        for (let round = 0; round < 50 && last[0] !== 'signer_audit_unavailable'; round += 1) {
          last = await record.sign(client, home.key('p256'), 20);
        }
        expect(last).toEqual(Array(20).fill('signer_audit_unavailable'));
        expect(await signer.waitForExit()).toBe(1);
        expect(signer.log).toContain('the disk is full');
        // What a client holds is recorded; the folder ends with whole lines or one that the next start cuts off.
        const isStillFull = home.launch('full-disk');
        const stillFull = home.connect(isStillFull);
        const ended = isStillFull.waitForExit();
        // The room of a long line that was cut off may hold the lines of a start; signatures find none.
        const isOver = () => Promise.race([ended.then(() => true), sleep(100, false)]);
        while (!(await isOver())) await record.sign(stillFull, home.key('p256'), 5);
        expect(await ended).toBe(1);
        execFileSync('mount', ['-o', 'remount,size=8m', disk]);
        const next = home.launch('full-disk');
        await next.waitUntilReady();
        expect(await record.sign(home.connect(next), home.key('p256'))).toEqual(['signed']);
        expect(await next.stop()).toBe(0);
        expect(await checkInvariants(home, [next], record)).toEqual([]);
      } finally {
        spawnSync('umount', ['-l', disk]);
      }
    },
  );

  test('rotates without loss, exports its end, and shows a tail that was cut off', async () => {
    const signer = await home.start('rotating', {
      ...one,
      audit: { directory: 'audit/rotating', segment_bytes: 4_096 },
    });
    const record = new SigningRecord();
    const client = home.connect(signer);
    for (let round = 0; round < 5; round += 1) await record.sign(client, home.key('p256'), 10);
    const sequence = await signer.metric('hash_signer_audit_head_sequence');
    const fingerprint = await signer.metric('hash_signer_audit_head_fingerprint');
    expect(await signer.stop()).toBe(0);
    const chain = 'hash-signer/rotating';
    const report = await verifyAuditLog({ directory: signer.auditDirectory, chain });
    expect(report).toMatchObject({ intact: true, lines: 51, head: { sequence } });
    expect(report.segments.length).toBeGreaterThan(3);
    expect(Buffer.from(report.head.hash).readUIntBE(0, 6)).toBe(fingerprint);
    const head = /"audit_head":"([0-9a-f]{64})"/g;
    expect([...signer.log.matchAll(head)].at(-1)?.[1]).toBe(Buffer.from(report.head.hash).toString('hex'));
    const last = report.segments.at(-1)?.name ?? '';
    const path = join(signer.auditDirectory, last);
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    writeFileSync(
      path,
      lines
        .slice(0, -1)
        .map((line) => `${line}\n`)
        .join(''),
    );
    expect((await verifyAuditLog({ directory: signer.auditDirectory, chain })).intact).toBe(true);
    const cut = await verifyAuditLog({ directory: signer.auditDirectory, chain, expectedHead: report.head });
    expect(cut.problems).toMatchObject([{ kind: 'head_missing' }]);
  });
});

describe('what can be read from outside', () => {
  test('holds no PIN: files, logs, metrics, command lines, environments; and no process may dump core', async () => {
    const signer = await home.start('secret');
    const record = new SigningRecord();
    await record.sign(home.connect(signer), home.key('p256'), 5);
    const wrong = home.writeSecret('wrong.pin', 'wrong-pin-of-nobody\n');
    await home.writeConfig('secret-wrong', { token: { pin_file: wrong, signers: 1 } });
    const refused = home.launch('secret-wrong');
    expect(await refused.waitForExit()).toBe(78);
    const metrics = await signer.metrics();
    const texts = [signer.log, refused.log, metrics];
    for (const pid of [signer.pid, ...signer.signers()]) {
      texts.push(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), readFileSync(`/proc/${pid}/environ`, 'latin1'));
    }
    for (const pid of [signer.pid, ...signer.signers()]) {
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0/);
    }
    expect(await signer.stop()).toBe(0);
    for (const pin of [testPins.user, testPins.officer, 'wrong-pin-of-nobody']) {
      for (const text of texts) expect(text).not.toContain(pin);
      const found = spawnSync('grep', ['-rlF', '--exclude=*.pin', pin, home.directory], { encoding: 'utf8' });
      expect(found.stdout).toBe('');
    }
    // Labels come from closed sets: nothing that a caller, a key or an HSM could choose.
    expect(metrics).not.toContain(home.key('p256').key_id);
    expect(metrics).not.toContain('req_');
  });
});

describe('anything sent as a request', () => {
  const seeds = [
    '',
    'null',
    '[]',
    '{}',
    '"x"',
    '1e999',
    '{"__proto__":{"timeout_ms":1}}',
    '{"request_id":"a","request_id":"b"}',
    `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
    '{"digests":[{"digest":"\\ud800"}]}',
    '\u0000',
    '\ufeff{}',
  ];

  test('is answered with a typed problem or signatures: no crash, no hang, no other status', async () => {
    const signer = await home.start('fuzz', one);
    const key = home.key('p256');
    const valid = {
      request_id: 'fuzz',
      timeout_ms: 20_000,
      key_id: key.key_id,
      algorithm: key.algorithm,
      digests: [{ digest: randomBytes(32).toString('base64'), context: { seal_id: 'seal_x' } }],
    };
    const tls = {
      ca: home.tls('root.pem'),
      cert: home.tls('document-service.pem'),
      key: home.tls('document-service.key'),
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 4, ...tls });
    const post = (body: string | Uint8Array): Promise<{ status: number; text: string }> =>
      new Promise((done, fail) => {
        const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
        const options = {
          host: '127.0.0.1',
          port: signer.port,
          path: '/v1/signDigests',
          method: 'POST',
          agent,
          headers,
        };
        const sent = httpsRequest(options, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        });
        sent.on('error', fail);
        sent.end(body);
      });
    const check = async (body: string | Uint8Array): Promise<void> => {
      const { status, text } = await post(body);
      const answer = JSON.parse(text) as { code?: string; results?: unknown[] };
      expect([200, 400, 403, 404, 413]).toContain(status);
      expect(status === 200 ? answer.results?.length : answer.code).toBeTruthy();
      expect(answer.code).not.toBe('internal_error');
    };
    expect((await post(JSON.stringify(valid))).status).toBe(200);
    for (const seed of seeds) await check(seed);
    const anyValue = fc.oneof(fc.jsonValue(), fc.string(), fc.integer(), fc.constant(undefined));
    const paths = [
      ...Object.keys(valid),
      'digests.0.digest',
      'digests.0.context',
      'digests.0.context.seal_id',
      'extra',
    ];
    const changed = fc.tuple(fc.constantFrom(...paths), anyValue).map(([path, value]) => {
      const copy = structuredClone(valid) as Record<string, unknown>;
      const parts = path.split('.');
      let target = copy;
      for (const part of parts.slice(0, -1)) target = target[part] as Record<string, unknown>;
      target[parts.at(-1) ?? ''] = value;
      return JSON.stringify(copy);
    });
    const text = JSON.stringify(valid);
    const cutOrFlipped = fc.tuple(fc.nat(text.length - 1), fc.nat(255), fc.boolean()).map(([at, byte, isCut]) => {
      const bytes = Buffer.from(text);
      if (isCut) return bytes.subarray(0, at);
      bytes[at] = byte;
      return bytes;
    });
    const bodies = fc.oneof(changed, cutOrFlipped, fc.uint8Array({ maxLength: 300 }));
    await fc.assert(fc.asyncProperty(bodies, check), { numRuns: 250 });
    agent.destroy();
    expect(signer.log).not.toContain('unexpected error');
    expect(await signer.stop()).toBe(0);
  });
});

describe('the contract in the README', () => {
  test('works with curl as it is written there', async () => {
    const readme = readFileSync(resolve(import.meta.dirname, '../../packages/signer-rpc/README.md'), 'utf8');
    const script = /```sh\n(# A signature with curl[^]*?)```/.exec(readme)?.[1];
    if (script === undefined) throw new Error('the README has no example with curl');
    const signer = await home.start('curl', one);
    for (const [from, to] of [
      ['tls/root.pem', 'root.pem'],
      ['tls/document-service.pem', 'me.pem'],
      ['tls/document-service.key', 'me.key'],
    ] as const) {
      cpSync(home.path(from), home.path(to));
    }
    const message = 'a message to be sealed';
    writeFileSync(home.path('message.txt'), message);
    const key = home.key('p256');
    const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', script], {
      cwd: home.directory,
      env: { PATH: process.env['PATH'], SIGNER: `https://127.0.0.1:${signer.port}`, KEY_ID: key.key_id },
    });
    const { results } = JSON.parse(stdout.slice(stdout.lastIndexOf('{"results"'))) as {
      results: { signature: string }[];
    };
    const signature = new Uint8Array(Buffer.from(results[0]?.signature ?? '', 'base64'));
    const answer = { requestId: '', index: 0, key, message: Buffer.from(message), signature, code: undefined };
    expect(new SigningRecord().isRight(answer)).toBe(true);
    expect(await signer.stop()).toBe(0);
    expect(existsSync(home.path('message.txt'))).toBe(true);
  });
});
