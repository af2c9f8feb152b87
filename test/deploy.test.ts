import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { listProcesses, type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';
import { RunningSigner, waitUntil } from './faults/running-signer.ts';
import { SignerHome, testPins } from './faults/signer-home.ts';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'deploy/systemd');
const units = readdirSync(folder).filter((name) => name.endsWith('.service'));
const read = (unit: string): string => readFileSync(join(folder, unit), 'utf8');

const succeeds = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const hasAnalyze =
  succeeds('systemd-analyze', 'security', '--help') &&
  /offline/.test(execFileSync('systemd-analyze', ['--help'], { encoding: 'utf8' }));
const analyzeTest = hasAnalyze ? test : test.skip;

/** The exposure that systemd counts, in tenths; what keeps each from 0 is in deploy/README.md. */
const thresholds: Readonly<Record<string, number>> = {
  'sigillum-hash-signer.service': 22,
  'sigillum-tsa.service': 14,
  'sigillum-document-service.service': 14,
};

describe('the systemd units', () => {
  test('are one for each service', () => {
    expect(units.toSorted()).toEqual(Object.keys(thresholds).toSorted());
  });

  test.each(units)(
    '%s dumps no core, gains no privilege, checks its configuration first, and stays down after 78',
    (unit) => {
      const lines = read(unit).split('\n');
      expect(lines).toEqual(
        expect.arrayContaining([
          'LimitCORE=0',
          'NoNewPrivileges=yes',
          'ProtectSystem=strict',
          'PrivateTmp=yes',
          'RestartPreventExitStatus=78',
          // Whatever takes hours to come back (a full disk): docs/operations says that systemd starts it again.
          'StartLimitIntervalSec=0',
          'ExecReload=/bin/kill -HUP $MAINPID',
          'SystemCallArchitectures=native',
        ]),
      );
      const start = lines.find((line) => line.startsWith('ExecStart='))?.slice('ExecStart='.length);
      // Flags of memory are for the service alone.
      const check = start?.replaceAll(/ --(max-semi-space-size|heap-growing-percent)=\d+/g, '');
      expect(lines).toContain(`ExecStartPre=${check} --check-config`);
      // SIGUSR1 would open a debugger, by which every local user reads keys from the memory of the service.
      expect(start).toMatch(/\/node --disable-sigusr1 (--[a-z-]+=\d+ )*\//);
      expect(lines.filter((line) => /^Restart=(always|on-failure)$/.test(line))).toHaveLength(1);
      // What a unit names must exist in the checkout.
      const main = /packages\/([a-z-]+)\/dist\/main\.js/.exec(start ?? '')?.[1];
      expect(() => read(`../../packages/${main}/src/main.ts`)).not.toThrow();
      const user = lines.find((line) => line.startsWith('User='))?.slice('User='.length);
      expect(read('sigillum.sysusers')).toMatch(new RegExp(`^u ${user} `, 'm'));
    },
  );

  analyzeTest.each(units)('%s stays below its exposure by systemd-analyze security', (unit) => {
    const threshold = `--threshold=${thresholds[unit]}`;
    const { status, stdout, stderr } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--no-pager', threshold, join(folder, unit)],
      { encoding: 'utf8' },
    );
    expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' });
  });

  analyzeTest.each(units)('%s is understood by systemd but for programs that are not installed here', (unit) => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', join(folder, unit)], { encoding: 'utf8' });
    const others = stderr.split('\n').filter((line) => line.includes(unit) && !/not executable|not found/i.test(line));
    expect(others).toEqual([]);
  });

  test('the example configuration is taken by the daemon, once the files are there that it names', async () => {
    const home = new SignerHome();
    try {
      const example = read('hash-signer.example.yaml');
      const here: readonly (readonly [string, string])[] = [
        ['/etc/sigillum/hash-signer/tls/services-root.pem', home.path('tls/root.pem')],
        ['/etc/sigillum/hash-signer/', `${home.directory}/`],
        ['/run/sigillum-signer/', `${home.directory}/`],
        ['/opt/sigillum/', `${root}/`],
        ['/usr/lib/softhsm/libsofthsm2.so', home.shim.module],
        ['0123456789abcdef', home.key('p256').token_serial],
      ];
      for (const [there] of here) expect(example).toContain(there);
      const config = home.path('example.yaml');
      writeFileSync(
        config,
        here.reduce((text, [there, path]) => text.replaceAll(there, path), example),
      );
      const main = join(root, 'packages/hash-signer/src/main.ts');
      const args = ['--conditions=source', main, '--config', config, '--check-config'];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    } finally {
      await home.remove();
    }
  }, 120_000);

  test('the example configuration of the tsa is taken by it, once the files are there that it names', () => {
    const pki = new OpensslPki();
    try {
      for (const name of ['tls', 'clients', 'keys', 'pki']) mkdirSync(pki.path(name));
      const issue = (name: string, extensions: readonly string[], issuer?: OpensslCertificate): OpensslCertificate => {
        const made = pki.issue(name, {
          subject: `/C=DE/O=Example Trust/CN=${basename(name)}`,
          extensions,
          ...(issuer && { issuer }),
        });
        chmodSync(made.keyFile, 0o600);
        return made;
      };
      const services = issue('tls/services-root', opensslExtensions.root);
      for (const name of ['tls/public', 'tls/tsa']) issue(name, ['extendedKeyUsage=serverAuth,clientAuth'], services);
      const ca = issue('pki/tsa-ca', opensslExtensions.ca, issue('pki/root', opensslExtensions.root));
      const tsu = issue('pki/tsu-2026', opensslExtensions.tsu, ca);
      const spki = createPublicKey(tsu.privateKey).export({ format: 'der', type: 'spki' }).toString('base64');
      const manifest = {
        version: 1,
        key_id: '00112233445566778899aabbccddeeff',
        name: 'tsu-2026',
        token_label: 'service',
        token_serial: '0001',
        key_spec: 'p256',
        algorithm: 'ecdsa-p256-sha256',
        purpose: 'timestamp',
        spki,
        created: new Date().toISOString(),
      };
      pki.write('keys/tsu-2026.json', JSON.stringify(manifest));
      chmodSync(pki.write('clients/example.key', 'a-secret-of-more-than-twenty-characters\n'), 0o600);
      const example = read('tsa.example.yaml');
      const config = pki.write('tsa.yaml', example.replaceAll('/etc/sigillum/tsa/', `${pki.directory}/`));
      const check = () => {
        const main = join(root, 'packages/tsa/src/main.ts');
        const args = ['--conditions=source', main, '--config', config, '--check-config'];
        const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
        return { status, stderr };
      };
      expect(check()).toEqual({ status: 0, stderr: '' });
      // Down to what is in the files: the key of another certificate.
      cpSync(services.keyFile, pki.path('tls/public.key'));
      expect(check()).toEqual({ status: 78, stderr: expect.stringContaining('tls/public.key is not that of') });
      // The socket that it names is the one that the units make, for the tsa's user.
      const socket = read('chrony/sigillum-chrony.socket');
      const [, path] = /authdata_socket: ([^ }]+)/.exec(example) ?? [];
      expect(socket).toContain(`ListenStream=${path}\n`);
      expect(socket).toContain(`SocketUser=${/^User=(.*)$/m.exec(read('sigillum-tsa.service'))?.[1]}\n`);
    } finally {
      pki.remove();
    }
  }, 60_000);

  test.each([
    ['document-service', 'document-service.example.yaml'],
    ['document-service', 'development/document-service.yaml'],
    ['tsa', 'development/tsa.yaml'],
    ['hash-signer', 'development/hash-signer.yaml'],
  ])('%s finds nothing wrong in %s but files that are not here', (service, example) => {
    const main = join(root, `packages/${service}/src/main.ts`);
    const args = ['--conditions=source', main, '--config', join(folder, example), '--check-config'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(78);
    const missing =
      /^(\w+: )?(The (file|configuration|folder of key manifests) \/\S+ can't be read|There is no PIN file \/\S+)\.$/;
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => !missing.test(line)),
    ).toEqual([]);
  });

  analyzeTest.each(['sigillum-chrony.socket', 'sigillum-chrony@.service'])('%s is understood by systemd', (unit) => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', join(folder, 'chrony', unit)], { encoding: 'utf8' });
    expect(stderr.split('\n').filter((line) => line.includes(unit) && !/not executable|not found/i.test(line))).toEqual(
      [],
    );
  });
});

describe("the operator's page", () => {
  const page = readFileSync(join(root, 'docs/operations/hash-signer.md'), 'utf8');

  test('names metrics and codes that exist', () => {
    const metrics = readFileSync(join(root, 'packages/hash-signer/src/signer-metrics.ts'), 'utf8');
    const names = new Set(page.match(/hash_signer_[a-z_]+/g));
    expect(names.size).toBeGreaterThan(10);
    expect([...names].filter((name) => !metrics.includes(`'${name}'`))).toEqual([]);
    const codes = ['signer', 'audit'].map((name) =>
      readFileSync(join(root, `packages/errors/src/codes/${name}.ts`), 'utf8'),
    );
    const named = new Set(page.match(/\b(signer|audit)_(?!total)[a-z]+(_[a-z]+)+\b/g));
    expect([...named].filter((code) => !codes.join('').includes(code) && !metrics.includes(code))).toEqual([]);
  });

  test('has an entry for each alarm that it lists', () => {
    const links = [...page.matchAll(/\]\(#([a-z-]+)\)/g)].map(([, anchor]) => anchor);
    const anchors = page.match(/^#+ .*$/gm)?.map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(links.filter((anchor) => !anchors?.includes(anchor ?? ''))).toEqual([]);
  });
});

/** As the unit does it, in numbers that no account here has. */
const [daemonId, signerId] = [61_001, 61_002];
const asDaemon = ['setpriv', `--reuid=${daemonId}`, `--regid=${daemonId}`, '--clear-groups', '--no-new-privs'];
const capabilities = '-all,+setuid,+setgid,+kill';
const wrapper = [
  ...asDaemon,
  `--inh-caps=${capabilities}`,
  `--ambient-caps=${capabilities}`,
  `--bounding-set=${capabilities}`,
];
const canChangeUser =
  process.getuid?.() === 0 &&
  succeeds(asDaemon[0] ?? '', ...wrapper.slice(1), process.execPath, '--check', join(root, 'jest.config.mjs'));
const rootTest = canChangeUser ? test : test.skip;

describe('signer processes under a user of their own', () => {
  let home: SignerHome | undefined;

  afterAll(() => home?.remove());

  rootTest(
    'sign, hold no capability, are killed when they hang and die with the daemon, which never reads the PIN',
    async () => {
      home = new SignerHome();
      const { directory } = home;
      const own = (path: string, id: number): void => {
        execFileSync('chown', ['-R', `${id}:${id}`, path]);
      };
      // What the signers need, in a place of theirs; the PIN as the unit's ExecStartPre leaves it.
      cpSync(home.path('user.pin'), home.path('signer.pin'));
      await home.writeConfig('apart', {
        token: { pin_file: 'signer.pin', watchdog_ms: { ec: 400, rsa: 1000 } },
        pkcs11: {
          module: home.shim.module,
          softhsm_conf: 'softhsm2.conf',
          environment: home.shim.environment,
          run_as: { user: String(signerId), group: String(signerId) },
        },
      });
      mkdirSync(home.path('audit'));
      for (const name of readdirSync(directory))
        own(home.path(name), /^(tokens|signer\.pin|shim-trace)$/.test(name) ? signerId : daemonId);
      for (const name of ['softhsm2.conf', 'fault-shim.so']) chmodSync(home.path(name), 0o644);
      chmodSync(home.path('signer.pin'), 0o400);
      chmodSync(directory, 0o755);
      chownSync(directory, daemonId, daemonId);
      const daemon = new RunningSigner(home.path('apart.yaml'), wrapper);
      try {
        await daemon.waitUntilReady(2);
        const findSigners = (): number[] => daemon.signers();
        for (const pid of findSigners()) {
          const status = readFileSync(`/proc/${pid}/status`, 'utf8');
          expect(status).toMatch(new RegExp(`^Uid:(\\s+${signerId}){4}$`, 'm'));
          expect(status).toMatch(new RegExp(`^Gid:(\\s+${signerId}){4}$`, 'm'));
          expect(status).toMatch(/^Groups:\s*$/m);
          for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
            expect(status).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
          expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
          expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size\s+0\s+0\s/m);
        }
        expect(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')).toMatch(
          new RegExp(`^Uid:(\\s+${daemonId}){4}$`, 'm'),
        );
        const reads = (id: number, path: string): boolean =>
          succeeds('setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', 'cat', path);
        expect(reads(signerId, home.path('signer.pin'))).toBe(true);
        expect(reads(daemonId, home.path('signer.pin'))).toBe(false);
        expect(reads(signerId, home.path('tls/hash-signer.key'))).toBe(false);

        const key = home.key('p256');
        const client = home.connect(daemon);
        const digest = new Uint8Array(createHash('sha256').update('apart').digest());
        const sign = () =>
          client.signDigests({
            requestId: 'apart',
            timeoutMs: 20_000,
            keyId: key.key_id,
            algorithm: key.algorithm,
            digests: [{ digest, context: {} }],
          });
        expect((await sign()).every((result) => 'signature' in result)).toBe(true);
        // A hang in C_SignInit blocks the process itself: only a signal from the daemon, across users, ends it.
        const [victim] = findSigners();
        if (victim === undefined) throw new Error('no signer process');
        home.shim.set(['C_SignInit hang'], victim);
        await waitUntil('the hanging process is gone', async () => {
          await sign();
          return !findSigners().includes(victim);
        });
        home.shim.clear();
        await daemon.waitUntilReady(2);
        const last = findSigners();
        daemon.child.kill('SIGKILL');
        await waitUntil('the signers are gone', () => !listProcesses().some(({ pid }) => last.includes(pid)));
        expect(daemon.log).not.toContain(testPins.user);
      } finally {
        await daemon.kill();
      }
    },
  );
});
