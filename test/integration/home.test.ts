import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DevelopmentHome, waitForEnd } from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const repository = join(import.meta.dirname, '../..');
let home: DevelopmentHome;

beforeAll(async () => {
  home = await DevelopmentHome.start();
}, 180_000);
afterAll(async () => {
  await home?.remove();
}, 60_000);

/** Waits for the configurations of a start, and listens on ports in them. */
async function takePorts(): Promise<readonly Server[]> {
  const files = ['hash-signer', 'tsa'].map((name) => join(home.directory, `config/${name}.yaml`));
  const before = files.map((path) => statSync(path).mtimeMs);
  while (files.some((path, index) => statSync(path).mtimeMs === before[index])) await sleep(5);
  const [signer, seals] = files.map((path) => parse(readFileSync(path, 'utf8')) as Listeners);
  const ports = [signer?.listen?.port, seals?.seals?.port];
  const squatters = ports.map((port) => createServer().listen(port, '127.0.0.1'));
  await Promise.all(squatters.map((squatter) => once(squatter, 'listening')));
  return squatters;
}

type Listeners = { readonly listen?: { readonly port: number }; readonly seals?: { readonly port: number } };

function startElsewhere(args: readonly string[]) {
  return spawnSync('node', ['scripts/start.mjs', ...args], { cwd: repository, encoding: 'utf8', timeout: 60_000 });
}

describe('what npm start leaves and prints', () => {
  test('ready.json is for its owner only and tells where everything is', () => {
    expect(statSync(home.readyPath).mode & 0o777).toBe(0o600);
    const { ready } = home;
    expect(ready.url).toBe(`http://127.0.0.1:${home.port}`);
    expect(ready.tsa_url).toContain(String(home.port + 1));
    expect(ready.api_key).toMatch(/^sk_test_/);
    expect(ready.credentials).toEqual(expect.arrayContaining(['p256', 'p384', 'rsa-pss-3072', 'rsa-2048']));
    expect(readFileSync(ready.root_certificate, 'utf8')).toContain('BEGIN CERTIFICATE');
    expect(ready.crls).toHaveLength(3);
    for (const crl of ready.crls) expect(readFileSync(crl, 'utf8')).toContain('BEGIN X509 CRL');
  });

  test('the secrets are in a folder that only the owner opens', () => {
    expect(statSync(join(home.directory, 'secrets')).mode & 0o777).toBe(0o700);
  });

  test('the printed curl line works when pasted', () => {
    const line = /^\s*(curl .*)$/m.exec(home.output.replaceAll(/\\\n\s*/g, ' '))?.[1] ?? '';
    expect(line).toContain('/v1/seals');
    const target = /-o\s+(\S+)/.exec(line)?.[1]?.replaceAll(/['"]/g, '') ?? '';
    execFileSync('bash', ['-c', line], { cwd: home.directory, stdio: 'pipe' });
    const sealed = readFileSync(target.startsWith('/') ? target : join(home.directory, target));
    expect(sealed.subarray(0, 5).toString()).toBe('%PDF-');
    expect(sealed.includes('ETSI.CAdES.detached')).toBe(true);
  });

  test('it says where the sample, the logs and the root lie, how to stop and how to reset', () => {
    for (const word of [home.ready.url, '/docs', home.ready.api_key, 'sample', 'logs', 'root.pem', 'Ctrl-C', '--reset'])
      expect(home.output).toContain(word);
  });
});

describe('starting again', () => {
  test('a second start on a running home says so, with the pid, and disturbs nothing', async () => {
    const second = startElsewhere(['--home', home.directory]);
    expect(second.status).not.toBe(0);
    expect(second.stdout + second.stderr).toMatch(/running.*pid \d+|pid \d+.*running/is);
    expect((await fetch(`${home.ready.url}/v1/status`)).status).toBe(200);
  });

  test('another port for a home that has one is an error that says what to do', () => {
    const other = startElsewhere(['--home', home.directory, '--port', String(home.port + 10)]);
    expect(other.status).not.toBe(0);
    expect(other.stdout + other.stderr).toMatch(/port/i);
  });

  test('a folder that nobody can make is an error that names it', () => {
    const refused = startElsewhere(['--home', '/proc/sigillum']);
    expect(refused.status).toBe(1);
    expect(refused.stdout + refused.stderr).toContain("The folder /proc/sigillum can't be used");
    expect(refused.stdout + refused.stderr).not.toMatch(/^\s+at /m);
  });

  const mountIn = ['--user', '--map-root-user', '--mount'];
  const canMount = spawnSync('unshare', [...mountIn, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
  (canMount ? test : test.skip)('a disk that is too small is an error that says so (needs user namespaces)', () => {
    const script = 'mount -t tmpfs -o size=2m tmpfs /mnt && exec node scripts/start.mjs --home /mnt/home';
    const refused = spawnSync('unshare', [...mountIn, 'sh', '-c', script], {
      cwd: repository,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(refused.status).toBe(1);
    expect(refused.stdout + refused.stderr).toMatch(/The disk of \/mnt\/home has 1 MB left, and 64 MB are needed/);
    expect(refused.stdout + refused.stderr).not.toMatch(/^\s+at /m);
  });

  test('stray words and unknown options are errors', () => {
    for (const args of [['surprise'], ['--colour']]) expect(startElsewhere(args).status).not.toBe(0);
  });

  test('SIGTERM stops everything in order and leaves no process, and the next start keeps home and key', async () => {
    const { api_key: key } = home.ready;
    const root = readFileSync(home.ready.root_certificate, 'utf8');
    expect(await home.stop('SIGTERM')).toEqual([]);
    expect(existsSync(home.readyPath)).toBe(false);
    // Another program takes the ports that were just found free, before the services come to them.
    const [squatters] = await Promise.all([takePorts(), home.startAgain()]);
    expect(squatters.every((squatter) => squatter.listening)).toBe(true);
    for (const squatter of squatters) squatter.close();
    expect(home.ready.api_key).toBe(key);
    expect(readFileSync(home.ready.root_certificate, 'utf8')).toBe(root);
    const page = await fetch(`${home.ready.url}/v1/seals`, { headers: { authorization: `Bearer ${key}` } });
    const { data } = (await page.json()) as { data: unknown[] };
    expect(data.length).toBeGreaterThanOrEqual(2);
  }, 120_000);

  test('a busy port is an error that says what to do', async () => {
    expect(await home.stop('SIGINT')).toEqual([]);
    const squatter = createServer().listen(home.port, '127.0.0.1');
    await once(squatter, 'listening');
    const refused = startElsewhere(['--home', home.directory]);
    squatter.close();
    expect(refused.status).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(new RegExp(`port ${home.port}`, 'i'));
    await home.startAgain();
  }, 120_000);
});

describe('kill -9', () => {
  test.each(['bootstrap', 'supervisor'] as const)(
    'of the %s leaves no process ten seconds later',
    async (which) => {
      const processes = home.processes();
      const pids = processes.map((entry) => entry.pid);
      const supervisor = processes.find((entry) => entry.command.includes('supervisor/src/main.ts'))?.pid ?? 0;
      process.kill(which === 'bootstrap' ? home.pid : supervisor, 'SIGKILL');
      expect(await waitForEnd(pids, 10_000)).toEqual([]);
      await home.startAgain();
      expect((await fetch(`${home.ready.url}/v1/status`)).status).toBe(200);
    },
    120_000,
  );
});
