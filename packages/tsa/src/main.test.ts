import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { verifyAuditLog } from '@sigillum/audit';
import {
  encodeTimeStampRequest,
  parseSignedData,
  parseTimeStampResponse,
  parseTstInfo,
  verifyTimeStampToken,
} from '@sigillum/pki';
import { parseConfig } from '@sigillum/service-kit';
import { NtpServerForTests, type OpensslCertificate } from '@sigillum/testing';
import { AuditedTokens } from '../../cli/src/commands/audit-tokens.ts';
import { send, TsaHome } from '../test/tsa-home.ts';
import { tsaConfigSchema } from './config.ts';

const home = new TsaHome();
const { pki, calls, keyId } = home;
const main = join(import.meta.dirname, 'main.ts');
let root: OpensslCertificate;
let tsu: OpensslCertificate;
let config: string;

beforeAll(async () => {
  await home.open();
  ({ root, tsu } = home);
  config = pki.write('tsa.yaml', makeConfig());
});
afterEach(() => home.killAll());
afterAll(() => home.remove());

const live = (text: string): string =>
  text
    .replace('development: true\n', '')
    .replace('{unsupervised: true}', '{sources: [{host: a.test}, {host: b.test}, {host: c.test}]}');

const makeConfig = (change?: (text: string) => string): string => home.config(change);
const startMain = (file: string = config, through: readonly string[] = []) => home.start(file, through);

describe('the process', () => {
  test('time-stamps over both listeners with a signer behind mTLS, and ends clean when its lifeline does', async () => {
    const { child, ports, log } = await startMain();
    expect((await send(ports.internal, '/healthz')).status).toBe(200);
    expect((await send(ports.internal, '/readyz')).status).toBe(200);
    for (const port of [ports.public, ports.seals]) {
      const query = pki.run(['ts', '-query', '-data', pki.write('data', 'some data'), '-sha256', '-cert']);
      const answer = await send(port, '/', query);
      expect(answer.status).toBe(200);
      const files = [pki.write('a.tsr', answer.body), pki.write('a.tsq', query)] as const;
      const said = pki.run(['ts', '-verify', '-in', files[0], '-queryfile', files[1], '-CAfile', root.certificateFile]);
      expect(Buffer.from(said).toString()).toContain('Verification: OK');
    }
    expect(calls.at(-1)).toMatchObject({ key_id: keyId, algorithm: 'ecdsa-p256-sha256' });
    const metrics = Buffer.from((await send(ports.internal, '/metrics')).body).toString();
    expect(metrics).toMatch(/tsa_answers_total\{[^}]*listener="seals",outcome="granted"[^}]*\} 1/);
    child.stdin?.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(metrics).toMatch(/tsa_audit_head_sequence\{[^}]*\} 3/);
    const report = await verifyAuditLog({ directory: pki.path('audit'), chain: 'tsa-1' });
    expect(report).toMatchObject({ intact: true, lines: 3 });
    // What `--head` takes, in a log that is kept elsewhere.
    const said = log.flatMap((line) => /"message":"audit head","head":"([^"]+)"/.exec(line)?.[1] ?? []);
    expect(said.at(-1)).toBe(`3:${Buffer.from(report.head.hash).toString('hex')}`);
  });

  test('is not ready, and says why, when it leaves the signer less time than that takes', async () => {
    const { child, ports } = await startMain(
      pki.write(
        'hurried.yaml',
        makeConfig((text) => `${text}limits: { sign_timeout_ms: 2500 }\n`),
      ),
    );
    const answer = await send(ports.internal, '/readyz');
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([
      503,
      expect.stringContaining('sign_timeout_ms'),
    ]);
    child.stdin?.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('goes on after kill -9 with times that do not go back', async () => {
    const genTimes: string[] = [];
    for (let round = 0; round < 2; round++) {
      const { child, ports } = await startMain();
      const query = pki.run([
        'ts',
        '-query',
        '-digest',
        createHash('sha256').update(String(round)).digest('hex'),
        '-sha256',
      ]);
      expect((await send(ports.public, '/', query)).status).toBe(200);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const lines = readFileSync(join(pki.path('audit'), '000000000001.jsonl'), 'utf8')
        .trim()
        .split('\n');
      genTimes.push(/"gen_time":"([^"]+)"/.exec(lines.at(-1) ?? '')?.[1] ?? '');
      // The mark is ahead of the time given, so the next start waits for it.
      expect(readFileSync(join(pki.path('audit'), 'state'), 'utf8') > `{"version":1,"mark":"${genTimes.at(-1)}`).toBe(
        true,
      );
    }
    const [first = '', second = ''] = genTimes;
    expect(second > first).toBe(true);
  });

  test('killed under load again and again gives no serial number twice, nothing wrong and nothing without a record', async () => {
    const own = pki.path('killed');
    mkdirSync(join(own, 'tokens'), { recursive: true });
    const file = pki.write(
      'killed.yaml',
      makeConfig((text) =>
        text
          .replace('state: audit/state', 'state: killed/state')
          .replace('audit: {directory: audit}', 'audit: {directory: killed/log}'),
      ),
    );
    let received = 0;
    const genTimes: number[][] = [];
    for (let round = 0; round < 3; round++) {
      const { child, ports } = await startMain(file);
      const times: number[] = [];
      const clients = Array.from({ length: 16 }, async (_none, client) => {
        for (let index = 0; ; index++) {
          const digest = createHash('sha256').update(`${round} ${client} ${index}`).digest();
          const imprint = { algorithm: 'sha256', digest: new Uint8Array(digest) } as const;
          const body = encodeTimeStampRequest({
            imprint,
            nonce: Uint8Array.of(1, client, index & 0x7f),
            certReq: true,
          });
          const answer = await send(client % 2 === 0 ? ports.public : ports.seals, '/', body).catch(() => undefined);
          if (answer?.status !== 200) return;
          const response = parseTimeStampResponse(answer.body);
          if (!response.granted) throw new Error(response.text);
          const roots = [root.certificate];
          const nonce = Uint8Array.of(1, client, index & 0x7f);
          const token = verifyTimeStampToken(response.token, { imprint, nonce, policy: '2.25.99', roots });
          times.push(token.genTime.getTime());
          writeFileSync(join(own, 'tokens', `${received++}.tst`), response.token);
          if (times.length === 150) child.kill('SIGKILL');
        }
      });
      await Promise.all(clients);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      genTimes.push(times);
    }
    expect(received).toBeGreaterThanOrEqual(450);
    // Nothing of a later life is earlier than anything of one before.
    for (const [index, times] of genTimes.entries()) {
      const before = genTimes[index - 1];
      if (before) expect(Math.min(...times)).toBeGreaterThan(Math.max(...before));
    }
    const serials: string[] = [];
    // What `sigillum audit verify --tokens` does.
    const tokens = new AuditedTokens(join(own, 'tokens'));
    const report = await verifyAuditLog({
      directory: join(own, 'log'),
      chain: 'tsa-1',
      onEvent: (event) => {
        tokens.add(event);
        if (event['type'] === 'tsa.time_stamped') serials.push(String(event['serial']));
      },
    });
    // A kill may have cut a line; the next start says so in the chain and goes on.
    expect(report).toMatchObject({ intact: true });
    expect(new Set(serials).size).toBe(serials.length);
    expect(serials.length).toBeGreaterThanOrEqual(received);
    expect(tokens.finish()).toEqual({
      tokens: received,
      recorded: received,
      copies: 0,
      skipped: 0,
      problems: [],
    });
  });

  test('ends when its log can not be written, having given nothing that is not in it, and goes on when it can', async () => {
    mkdirSync(pki.path('full'));
    const file = pki.write(
      'full.yaml',
      makeConfig((text) =>
        text
          .replace('state: audit/state', 'state: full/state')
          .replace('audit: {directory: audit}', 'audit: {directory: full/log}'),
      ),
    );
    const ask = (port: number) => {
      const imprint = { algorithm: 'sha256', digest: new Uint8Array(32) } as const;
      return send(port, '/', encodeTimeStampRequest({ imprint, certReq: true })).catch(() => undefined);
    };
    // No file of this process may grow beyond 3 KiB: a disk that is full after a few lines.
    const { child, ports } = await startMain(file, ['prlimit', '--fsize=3072:3072']);
    const ended = once(child, 'exit');
    let granted = 0;
    let refused: number | undefined;
    while (refused === undefined) {
      const answer = await ask(ports.public);
      if (answer?.status === 200 && parseTimeStampResponse(answer.body).granted) granted++;
      else refused = answer?.status;
    }
    expect(refused).toBe(503);
    expect((await send(ports.internal, '/readyz')).status).toBe(503);
    expect((await ended)[0]).toBe(1);
    const again = await startMain(file);
    expect((await ask(again.ports.public))?.status).toBe(200);
    again.child.stdin?.end();
    await once(again.child, 'exit');
    const types: string[] = [];
    const directory = join(pki.path('full'), 'log');
    const onEvent = (event: { readonly type?: unknown }) => types.push(String(event.type));
    expect(await verifyAuditLog({ directory, chain: 'tsa-1', onEvent })).toMatchObject({ intact: true });
    expect(types.filter((type) => type === 'tsa.time_stamped').length).toBeGreaterThanOrEqual(granted + 1);
    expect(types).toContain('audit.log_repaired');
  });

  test('measures its clock, says so, and gives no time while two of three sources lie or all are silent', async () => {
    const servers = [await NtpServerForTests.start(), await NtpServerForTests.start(), await NtpServerForTests.start()];
    try {
      mkdirSync(pki.path('clock'));
      const sources = servers.map(({ port }) => `{host: 127.0.0.1, port: ${port}}`).join(', ');
      const clock = `clock: {sources: [${sources}], poll_seconds: 1, retry_seconds: 1, max_age_seconds: 3, timeout_ms: 500}`;
      const file = pki.write(
        'clock.yaml',
        makeConfig((text) =>
          text
            .replace('clock: {unsupervised: true}', clock)
            .replace('accuracy_ms: 1000', 'accuracy_ms: 500')
            .replace('state: audit/state', 'state: clock/state')
            .replace('audit: {directory: audit}', 'audit: {directory: clock/log}'),
        ),
      );
      const { child, ports } = await startMain(file);
      const query = pki.run(['ts', '-query', '-data', pki.write('data', 'some data'), '-sha256', '-cert']);
      const ask = async () => parseTimeStampResponse((await send(ports.public, '/', query)).body);
      const readiness = async (): Promise<string> =>
        Buffer.from((await send(ports.internal, '/readyz')).body).toString();
      const waitForClock = async (state: string): Promise<void> => {
        for (;;) {
          if ((await readiness()).includes(`"clock":"${state}"`)) return;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      await waitForClock('ok');
      const granted = await ask();
      if (!granted.granted) throw new Error(granted.text);
      const { content = new Uint8Array(0) } = parseSignedData(granted.token);
      // Loopback: milliseconds, certainly not the 500 promised.
      expect(parseTstInfo(content).accuracyMs).toBeLessThan(250);
      const [first, second, third] = servers.map(({ behaviour }) => behaviour);
      if (!first || !second || !third) throw new Error('no servers');
      first.offsetMs = 60_000;
      second.offsetMs = -60_000;
      await waitForClock('no_majority');
      expect(await ask()).toMatchObject({ granted: false, failure: 'timeNotAvailable' });
      second.offsetMs = 0;
      await waitForClock('ok');
      expect(await ask()).toMatchObject({ granted: true });
      for (const behaviour of [first, second, third]) behaviour.silent = true;
      await waitForClock('measurement_too_old');
      expect(await ask()).toMatchObject({ granted: false, failure: 'timeNotAvailable' });
      const metrics = Buffer.from((await send(ports.internal, '/metrics')).body).toString();
      expect(metrics).toMatch(/tsa_clock_fault\{[^}]*fault="measurement_too_old"[^}]*\} 1/);
      expect(metrics).toMatch(/tsa_clock_bound_seconds\{[^}]*\} NaN/i);
      expect(metrics).toMatch(/tsa_clock_offset_seconds\{[^}]*source="127\.0\.0\.1:\d+"/);
      expect(metrics).toMatch(/tsa_unit_remaining_days\{[^}]*unit="tsu"[^}]*\} 29\.9/);
      child.stdin?.end();
      await once(child, 'exit');
      const events: unknown[] = [];
      await verifyAuditLog({
        directory: join(pki.path('clock'), 'log'),
        chain: 'tsa-1',
        onEvent: (event) => event['type'] === 'tsa.clock_changed' && events.push(event['fault'] ?? 'ok'),
      });
      expect(events.filter((event) => event !== 'not_measured_yet')).toEqual([
        'ok',
        'no_majority',
        'ok',
        'measurement_too_old',
      ]);
    } finally {
      for (const server of servers) await server.stop();
    }
  });

  test.each<[string, (text: string) => string, number, string]>([
    ['a good configuration', (text) => text, 0, ''],
    [
      'two certificates in one file',
      (text) => text.replace('certificate: tsu.pem', 'certificate: two.pem'),
      78,
      'exactly one',
    ],
    ['a manifest of another purpose', (text) => text.replace('tsu.json', 'seal.json'), 78, 'purpose'],
    ['a production policy over a development certificate', (text) => live(text), 78, 'no legal value'],
    [
      'a secret that can be guessed',
      (text) => text.replace('open: true', 'clients: [{name: a, secret_file: short}]'),
      78,
      'fewer than 20',
    ],
    [
      'a unit whose window is over',
      (text) => text.replace('{name: tsu,', '{name: tsu, until: "2020-01-01T00:00:00Z",'),
      78,
      'no time to sign',
    ],
  ])('checks %s with --check-config', (_what, change, status, message) => {
    writeFileSync(
      pki.path('two.pem'),
      Buffer.concat([readFileSync(tsu.certificateFile), readFileSync(root.certificateFile)]),
    );
    writeFileSync(pki.path('seal.json'), readFileSync(pki.path('tsu.json'), 'utf8').replace('"timestamp"', '"seal"'));
    writeFileSync(pki.path('short'), 'secret\n', { mode: 0o600 });
    const file = pki.write('changed.yaml', makeConfig(change));
    const result = spawnSync(process.execPath, ['--conditions=source', main, '--config', file, '--check-config'], {
      encoding: 'utf8',
    });
    expect([result.status, result.stdout + result.stderr]).toEqual([status, expect.stringContaining(message)]);
  });

  test.each<[string, (text: string) => string, string]>([
    ['an accuracy above a second', (text) => text.replace('accuracy_ms: 1000', 'accuracy_ms: 1001'), '/accuracy_ms'],
    [
      'a public listener that is neither open nor has clients',
      (text) => text.replace('open: true', 'open: false'),
      'open: true',
    ],
    ['an unknown option', (text) => `${text}colour: red\n`, 'colour'],
    ['a policy that is no OID', (text) => text.replace('2.25.99', 'mine'), '/policy'],
    ['a signer without TLS', (text) => text.replace('https:', 'http:'), '/signer/url'],
    ['a clock without supervision in production', (text) => text.replace('development: true\n', ''), '/clock'],
    ['two time sources', (text) => live(text).replace(', {host: c.test}', ''), 'At least three'],
    [
      'one time source three times, which would outvote itself',
      (text) => live(text).replace('{host: b.test}, {host: c.test}', '{host: A.test}, {host: a.test, port: 123}'),
      '/clock/sources',
    ],
    [
      'measurements that are too old before the next one',
      (text) => live(text).replace('test}]', 'test}], poll_seconds: 600'),
      '/clock/max_age_seconds',
    ],
    [
      'time sources asked every second in production',
      (text) => live(text).replace('test}]', 'test}], poll_seconds: 1'),
      'RFC 4330',
    ],
    ['a development policy that promises something', (text) => text.replace('2.25.99', '0.4.0.2023.1.1'), '/policy'],
    ['qualified development tokens', (text) => text.replace('{name: tsu,', '{name: tsu, qualified: true,'), '/units'],
    ['two units of one name', (text) => text.replace(/units: \[(.*)\]\n/, 'units: [$1, $1]\n'), 'name of its own'],
    [
      'secrets in the clear over the network',
      (text) =>
        text.replace(
          'host: 127.0.0.1, port: 0, open: true',
          'host: 0.0.0.0, port: 0, clients: [{name: a, secret_file: key}]',
        ),
      'in the clear',
    ],
    [
      'a proxy that is no address',
      (text) => text.replace('open: true', 'open: true, trusted_proxies: [10.0.0.0/33]'),
      '/public/trusted_proxies',
    ],
  ])('refuses %s', (_what, change, message) => {
    const origin = { name: 'tsa.yaml', directory: pki.directory };
    expect(() => parseConfig(makeConfig(change), origin, tsaConfigSchema)).toThrow(message);
    expect(() => parseConfig(makeConfig(), origin, tsaConfigSchema)).not.toThrow();
  });
});
