import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { createLogStream } from './create-log-stream.ts';
import { SigillumError } from '@sigillum/errors';
import { assertRoom, explainFullDisk } from './disk-space.ts';
import { describeHome } from './describe-home.ts';
import { formatResetCommand } from './format-reset-command.ts';
import { listHomePaths } from './home-paths.ts';
import { createSandboxKey, makeSecrets } from './make-secrets.ts';
import { ManagedService } from './managed-service.ts';
import { openHome } from './open-home.ts';
import { parseOptions } from './parse-options.ts';
import { assertPortFree, findInternalPorts, internalPortNames, replaceTakenPorts } from './ports.ts';
import { findProcessIdentity, isRunning } from './process-identity.ts';
import { rotateLog } from './program.ts';
import { recordProcesses } from './recorded-processes.ts';
import { writeSamplePdf } from './sample-pdf.ts';
import { writeConfigurations } from './write-configurations.ts';

let home: string;

beforeEach(() => {
  home = join(mkdtempSync(join(tmpdir(), 'sigillum-supervisor-')), 'home');
});

afterEach(() => rmSync(join(home, '..'), { recursive: true, force: true }));

const code = (value: string, message = ''): object =>
  expect.objectContaining({ code: value, message: expect.stringContaining(message) });

/** A port whose successor is free too. */
async function findPort(): Promise<number> {
  const { tsa_seals: port } = await findInternalPorts([]);
  try {
    await assertPortFree(port + 1, '');
    return port;
  } catch {
    return findPort();
  }
}

async function open(more: Partial<Parameters<typeof openHome>[0]> = {}) {
  const opened = await openHome({ home, port: undefined, reset: false, ...more });
  opened.lock.release();
  return opened;
}

describe('options', () => {
  test('are a home, a port and a reset', () => {
    expect(parseOptions(['--home', '/x', '--port', '9000', '--reset'])).toEqual({
      home: '/x',
      port: 9000,
      reset: true,
    });
    expect(parseOptions(['--home', '/x'])).toEqual({ home: '/x', port: undefined, reset: false });
  });

  test.each(
    [[[]], [['--home', '']], [['--home', '/x', 'stray']], [['--home', '/x', '--colour']]].concat(
      ['', '80', '65535', '-1', '1e4', '8480x'].map((port) => [['--home', '/x', `--port=${port}`]]),
    ),
  )('%j is an error', (args) => {
    expect(() => parseOptions(args)).toThrow(code('home_options_invalid'));
  });
});

describe('a home', () => {
  test('is made with folders that only the owner opens, and its port is recorded', async () => {
    const port = await findPort();
    const { paths, basePort } = await open({ port });
    expect(basePort).toBe(port);
    for (const folder of paths.folders) expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readFileSync(paths.version, 'utf8')).toBe('1\n');
    expect((await open()).basePort).toBe(port);
    expect((await open({ port })).basePort).toBe(port);
  });

  test('keeps its port, and says what to do when told another one', async () => {
    const port = await findPort();
    await open({ port });
    await expect(open({ port: port + 10 })).rejects.toEqual(code('home_port_fixed', String(port)));
    await expect(open({ port: port + 10 })).rejects.toThrow('--reset');
  });

  test.each([0, 1])('does not start when its port + %d is taken, and says what to do', async (offset) => {
    const port = await findPort();
    const squatter = createServer().listen(port + offset, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      await expect(open({ port })).rejects.toEqual(code('home_port_busy', `Port ${port + offset} `));
      // Without the home it would be another one that is started.
      await expect(open({ port })).rejects.toThrow(`npm start -- --home ${home} --port N`);
      // Nothing was fixed by the failure.
      const other = await findPort();
      expect((await open({ port: other })).basePort).toBe(other);
      await expect(open({ port, reset: true })).rejects.toEqual(code('home_port_busy'));
      expect((await open()).basePort).toBe(other);
    } finally {
      squatter.close();
    }
  });

  test('is held by one process, whose pid is told', async () => {
    const port = await findPort();
    const first = await openHome({ home, port, reset: false });
    await expect(open()).rejects.toEqual(code('home_running', `pid ${process.pid}`));
    await expect(open({ reset: true })).rejects.toEqual(code('home_running'));
    first.lock.release();
    await open();
  });

  test('is taken over from a process that is gone, after what it left has ended', async () => {
    const port = await findPort();
    const { paths } = await open({ port });
    const child = spawn('sleep', ['0.7']);
    const ended = once(child, 'exit');
    const identity = findProcessIdentity(child.pid ?? 0);
    expect(identity).toBeDefined();
    recordProcesses(paths, [child.pid ?? 0]);
    writeFileSync(paths.lock, '1 1 another-boot');
    await open();
    // Waited for, and not killed.
    expect(isRunning(identity ?? '')).toBe(false);
    expect(await ended).toEqual([0, null]);
  });

  test('is never made of a folder with other things in it', async () => {
    mkdirSync(home);
    writeFileSync(join(home, 'thesis.pdf'), 'x');
    await expect(open()).rejects.toEqual(code('home_not_ours', 'thesis.pdf'));
    await expect(open({ reset: true })).rejects.toEqual(code('home_not_ours'));
    expect(existsSync(join(home, 'thesis.pdf'))).toBe(true);
    expect(existsSync(join(home, 'run'))).toBe(false);
  });

  test('that can not be made is an error that says why and what to do', async () => {
    writeFileSync(home, 'a file');
    await expect(open()).rejects.toEqual(code('home_not_writable', 'ENOTDIR'));
    await expect(open({ home: join(home, 'below') })).rejects.toEqual(code('home_not_writable', '--home DIR'));
  });

  test('of another version is left alone', async () => {
    const { paths } = await open({ port: await findPort() });
    writeFileSync(paths.version, '2\n');
    await expect(open()).rejects.toEqual(code('home_version_unknown', 'version 2'));
  });

  test('begins anew with --reset, also with another port', async () => {
    const port = await findPort();
    const { paths } = await open({ port });
    makeSecrets(paths);
    const key = readFileSync(paths.sandboxKey, 'utf8');
    const other = await findPort();
    expect((await open({ reset: true, port: other })).basePort).toBe(other);
    expect(existsSync(paths.sandboxKey)).toBe(false);
    makeSecrets(paths);
    expect(readFileSync(paths.sandboxKey, 'utf8')).not.toBe(key);
    expect((await open({ reset: true })).basePort).toBe(other);
  });

  test('takes away an old ready.json first', async () => {
    const port = await findPort();
    const { paths } = await open({ port });
    writeFileSync(paths.ready, '{}');
    await open();
    expect(existsSync(paths.ready)).toBe(false);
  });
});

describe('secrets', () => {
  test('are random, stay the same, and are readable by the owner only', async () => {
    const { paths } = await open({ port: await findPort() });
    makeSecrets(paths);
    const key = readFileSync(paths.sandboxKey, 'utf8').trim();
    expect(key).toMatch(/^sk_test_[0-9A-Za-z]{32}$/);
    expect(statSync(paths.sandboxKey).mode & 0o777).toBe(0o600);
    expect(statSync(paths.pepper).mode & 0o777).toBe(0o600);
    makeSecrets(paths);
    expect(readFileSync(paths.sandboxKey, 'utf8').trim()).toBe(key);
    expect(createSandboxKey()).not.toBe(createSandboxKey());
  });
});

describe('the disk of a home', () => {
  test('must have room, else a sentence says how much there is and what to do', () => {
    const folder = join(home, '..');
    assertRoom(folder, 1);
    expect(() => assertRoom(folder, Number.MAX_SAFE_INTEGER)).toThrow(
      expect.objectContaining({
        code: 'home_disk_full',
        message: expect.stringMatching(/^The disk of \S+ has \d+ [MK]B left, and \d+ MB are needed\. .*--home DIR$/),
      }),
    );
    const error = new Error('something else');
    expect(explainFullDisk(error, folder)).toBe(error);
    // A file system without any block has none that is free.
    const full = explainFullDisk(new SigillumError('home_service_failed', 'tsa failed.\nIts log'), '/proc');
    expect(full).toMatchObject({
      code: 'home_disk_full',
      message: 'The disk of /proc is full. Free some of it and start again. (tsa failed.)',
    });
  });
});

describe('ports', () => {
  test('of internal listeners are all different and none of those to avoid', async () => {
    const ports = Object.values(await findInternalPorts([8480, 8481]));
    expect(new Set(ports).size).toBe(5);
    expect(ports).not.toContain(8480);
  });

  test('that another program has taken meanwhile are replaced, and no others', async () => {
    const ports = await findInternalPorts([]);
    expect(await replaceTakenPorts(ports, internalPortNames, [])).toBeUndefined();
    const squatter = createServer().listen(ports.tsa_seals, '127.0.0.1');
    await once(squatter, 'listening');
    expect(await replaceTakenPorts(ports, ['hash_signer'], [])).toBeUndefined();
    const others = await replaceTakenPorts(ports, internalPortNames, []);
    squatter.close();
    expect(others).toEqual({ ...ports, tsa_seals: expect.any(Number) });
    expect(Object.values(ports)).not.toContain(others?.tsa_seals);
  });
});

describe('configurations', () => {
  test('hold no secret, and are accepted by the programs they are for', async () => {
    const { paths, basePort } = await open({ port: await findPort() });
    makeSecrets(paths);
    writeFileSync(paths.at('tokens/sigillum-service.json'), '{"serial":"0123456789abcdef"}');
    writeConfigurations(paths, {
      basePort,
      ports: await findInternalPorts([]),
      softhsmModule: '/usr/lib/softhsm/libsofthsm2.so',
      softhsmProfile: join(import.meta.dirname, '../../../hsm/profiles/softhsm.yaml'),
      database: { url: 'postgresql://app@/sigillum?host=%2Ftmp%2Fx', passwordFile: paths.at('secrets/a') },
      migrations: { url: 'postgresql://owner@/sigillum?host=%2Ftmp%2Fx', passwordFile: paths.at('secrets/o') },
    });
    const key = readFileSync(paths.sandboxKey, 'utf8').trim();
    for (const name of ['hash-signer', 'tsa', 'document-service', 'provision']) {
      const text = readFileSync(paths.config(name), 'utf8');
      expect(text).not.toContain(key);
      expect(parse(text)).toBeInstanceOf(Object);
    }
    for (const name of ['hash-signer', 'document-service']) {
      const main = join(import.meta.dirname, '..', '..', name, 'src', 'main.ts');
      const { status, stderr } = spawnSync(
        process.execPath,
        ['--conditions=source', main, '--config', paths.config(name), '--check-config'],
        { encoding: 'utf8' },
      );
      // What is missing is made by ceremonies; about the configuration itself there is no word.
      expect(status).toBe(78);
      const form = stderr
        .split('\n')
        .filter((line) => !/can't be read|^There is no PIN file|^There is no key manifest|^$/.test(line));
      expect(form).toEqual([]);
    }
  });
});

describe('the sample', () => {
  test('is a PDF that qpdf finds nothing wrong with', () => {
    const path = join(home, '..', 'sample.pdf');
    writeFileSync(path, writeSamplePdf('With (parentheses) and a \\ in it'));
    expect(execFileSync('qpdf', ['--check', path], { encoding: 'utf8' })).toContain(
      'No syntax or stream encoding errors',
    );
  });
});

describe('what is printed', () => {
  test('has a curl line that survives a home with spaces and quotes', async () => {
    const paths = listHomePaths(join(home, "it's a home"));
    mkdirSync(paths.secrets, { recursive: true });
    writeFileSync(paths.sandboxKey, 'sk_test_x\n');
    const line = /^ {2}curl (.*)$/m.exec(describeHome(paths, 8480, 1, 'npm start -- --reset'))?.[1] ?? '';
    const args = execFileSync('bash', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(args).toEqual([
      '-fsS',
      '-H',
      'Authorization: Bearer sk_test_x',
      '-H',
      'Content-Type: application/pdf',
      '--data-binary',
      `@${paths.sample}`,
      'http://127.0.0.1:8480/v1/seals',
      '-o',
      paths.at('samples/first.sealed.pdf'),
    ]);
  });

  test('begins this home anew, and not the one in the checkout', () => {
    expect(formatResetCommand('/checkout/.sigillum', '/checkout')).toBe('npm start -- --reset');
    expect(formatResetCommand("/it's a home", '/checkout')).toBe(`npm start -- --home '/it'\\''s a home' --reset`);
  });
});

describe('a managed service', () => {
  /** A service that says its pid on `/readyz`, or does what `body` says. */
  async function manage(body: string) {
    const { tsa_seals: port } = await findInternalPorts([]);
    const main = join(home, '..', 'main.mjs');
    const logFile = join(home, '..', 'service.log');
    writeFileSync(main, body.replaceAll('PORT', String(port)));
    const events: string[] = [];
    const service = new ManagedService({
      name: 'thing',
      program: { main, args: [], logFile },
      findInternalPort: () => port,
      onChange: (event) => events.push(event),
    });
    return { service, events, logFile, never: new AbortController().signal };
  }

  const good = `import { createServer } from 'node:http';
    createServer((request, response) => response.end()).listen(PORT, '127.0.0.1');
    process.on('SIGTERM', () => { console.log('drained'); process.exit(0); });
    console.log('started');`;

  test('is ready, is started again when it is killed, and drains when it is stopped', async () => {
    const { service, events, logFile, never } = await manage(good);
    service.start();
    await service.waitUntilReady(never);
    const first = service.pid ?? 0;
    process.kill(first, 'SIGKILL');
    while (service.pid === first || service.pid === undefined) await sleep(20);
    await service.waitUntilReady(never);
    await service.stop();
    expect(service.pid).toBeUndefined();
    expect(findProcessIdentity(first)).toBeUndefined();
    expect(readFileSync(logFile, 'utf8')).toBe('started\nstarted\ndrained\n');
    expect(events[1]).toBe('thing ended (SIGKILL); starting it again in 0.2 s');
    await sleep(500);
    expect(service.pid).toBeUndefined();
  });

  test('that refuses its configuration is an error with the end of its log', async () => {
    const { service, never } = await manage(`console.error('port: is missing'); process.exit(78);`);
    service.start();
    await expect(service.waitUntilReady(never)).rejects.toEqual(code('home_service_failed', 'port: is missing'));
    await service.stop();
  });

  test('is not waited for when the start is given up', async () => {
    const { service } = await manage(`setInterval(() => undefined, 1000);`);
    service.start();
    const abort = new AbortController();
    const waiting = service.waitUntilReady(abort.signal);
    abort.abort();
    await expect(waiting).rejects.toThrow();
    await service.stop();
  });
});

describe('a log', () => {
  test('that can not be written stops nobody', async () => {
    const path = join(home, '..', 'b.log');
    const stream = createLogStream(path);
    stream.write('first\n');
    expect(readFileSync(path, 'utf8')).toBe('first\n');
    const full = createLogStream('/dev/full');
    await new Promise((resolve) => full.write('lost\n', resolve));
    expect(full.errored).toBeNull();
  });

  test('that has grown large is put aside', () => {
    const path = join(home, '..', 'a.log');
    rotateLog(path);
    writeFileSync(path, 'small');
    rotateLog(path);
    expect(existsSync(path)).toBe(true);
    writeFileSync(path, Buffer.alloc(11 * 1024 * 1024));
    rotateLog(path);
    expect([existsSync(path), existsSync(`${path}.1`)]).toEqual([false, true]);
  });
});
