import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SigillumError } from '@sigillum/errors';
import { z } from 'zod';
import {
  assertNoRest,
  assertTlsFiles,
  configPath,
  createLogger,
  loadConfig,
  makeDirectory,
  parseArguments,
  readSecretFile,
  readTextFile,
  readTlsFiles,
} from './index.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigillum-kit-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** What a call throws, as one of ours. */
function catchError(work: () => unknown): SigillumError {
  try {
    work();
  } catch (error) {
    if (error instanceof SigillumError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

describe('arguments', () => {
  test('are those every service knows, a command, and the rest in its order', () => {
    expect(parseArguments(['provision', '--config', 'a.yaml', '--lifeline', '--file', 'b.yaml'])).toEqual({
      configPath: 'a.yaml',
      checkConfig: false,
      lifeline: true,
      command: 'provision',
      rest: ['--file', 'b.yaml'],
    });
    expect(parseArguments(['--config=a.yaml', '--check-config'])).toMatchObject({
      configPath: 'a.yaml',
      checkConfig: true,
    });
  });

  test.each([[['--config']], [['--config', '--lifeline']], [['--config', 'a', '--config', 'b']]])(
    '%j is refused',
    (argv) => {
      expect(catchError(() => parseArguments(argv)).code).toBe('config_invalid');
    },
  );

  test('that nobody asked for are an error', () => {
    expect(catchError(() => assertNoRest(parseArguments(['--config', 'a', '--colour']))).message).toContain('--colour');
    assertNoRest(parseArguments(['--config', 'a']));
  });
});

describe('a configuration', () => {
  const schema = z.strictObject({
    name: z.string(),
    port: z.int().min(1).max(65_535),
    files: z.array(z.strictObject({ path: configPath(), other: configPath().optional() })).default([]),
    folder: configPath().prefault('../here'),
  });

  test('has its paths made absolute in any depth, from its own folder, and is frozen', () => {
    mkdirSync(join(folder, 'config'), { recursive: true });
    const path = write('config/a.yaml', 'name: x\nport: 80\nfiles: [{path: ../b}, {path: /c, other: d}]\n');
    const config = loadConfig(path, schema);
    expect(config).toEqual({
      name: 'x',
      port: 80,
      files: [{ path: join(folder, 'b') }, { path: '/c', other: join(folder, 'config/d') }],
      folder: join(folder, 'here'),
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.files[0])).toBe(true);
  });

  test('tells all its problems at once, with their places', () => {
    const error = catchError(() => loadConfig(write('b.yaml', 'port: 0\nfiles: [{}]\nnmae: x\n'), schema));
    expect(error.code).toBe('config_invalid');
    expect(error.fields.map(({ pointer }) => pointer)).toEqual(['/name', '/port', '/files/0/path', '']);
    for (const part of ['/port: ', '/files/0/path: ', 'nmae', 'b.yaml']) expect(error.message).toContain(part);
  });

  test.each([
    ['a key twice', 'name: a\nname: b\nport: 1\n'],
    ['what is not YAML', 'name: [\n'],
    ['an unknown tag', 'name: !!js/function x\nport: 1\n'],
    ['nothing', ''],
  ])('with %s is refused', (_name, text) => {
    expect(catchError(() => loadConfig(write('c.yaml', text), schema)).code).toBe('config_invalid');
  });

  test('does not expand aliases without end', () => {
    const levels = Array.from(
      { length: 9 },
      (_, n) =>
        `a${n}: &a${n} [${Array(9)
          .fill(n === 0 ? 'x' : `*a${n - 1}`)
          .join(',')}]`,
    );
    expect(() => loadConfig(write('d.yaml', levels.join('\n')), schema)).toThrow();
  });

  test('has to be named and to be there', () => {
    expect(catchError(() => loadConfig(undefined, schema)).message).toContain('--config');
    expect(catchError(() => loadConfig(join(folder, 'missing.yaml'), schema)).message).toContain('missing.yaml');
  });
});

describe('a secret', () => {
  test('is read without its line end, and only from a file that others can not read', () => {
    expect(readSecretFile(write('pin', 'a b\r\n')).toString()).toBe('a b');
    expect(catchError(() => readSecretFile(write('open', 'x', 0o640))).message).toContain('chmod 600');
    expect(catchError(() => readSecretFile(write('empty', '\n'))).code).toBe('config_invalid');
    expect(catchError(() => readSecretFile(join(folder, 'none'))).code).toBe('config_invalid');
    expect(catchError(() => readTextFile(write('large', 'x'.repeat(70_000)))).message).toContain('larger');
  });
});

describe('a log line', () => {
  const log = (write: (logger: ReturnType<typeof createLogger>) => void, level?: 'warn'): string => {
    const stream = new PassThrough();
    write(createLogger({ service: 's', instance: 'i', stream, ...(level === undefined ? {} : { level }) }));
    return String(stream.read() ?? '');
  };

  test('is one JSON object, whatever is in it', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const text = log((logger) => {
      logger.info('a\nb', { n: 1n, service: 'forged', level: 'forged', message: 'forged' });
      logger.child({ seal: 'x' }).warn('with an error', {
        error: new SigillumError('internal_error', 'Outer.', { cause: new Error('inner') }),
      });
      logger.error('cycle', { cycle });
    });
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({ level: 'info', instance: 'i', message: 'a\nb', n: '1' });
    expect(lines[1]).toMatchObject({
      level: 'warn',
      seal: 'x',
      error: { code: 'internal_error', message: 'Outer.', cause: { message: 'inner' } },
    });
    expect(lines[2]).toMatchObject({ message: 'cycle', fields_lost: true });
  });

  test('below the level is not written', () => {
    expect(log((logger) => logger.info('quiet'), 'warn')).toBe('');
  });
});

describe('a folder', () => {
  test('is made with its parents, and says so where nobody can make one', () => {
    const path = join(folder, 'x', 'y', 'z');
    expect(makeDirectory(path, 0o700)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(makeDirectory(path, 0o700)).toBe(false);
    // Node's own recursion never comes back from there.
    expect(() => makeDirectory('/proc/sigillum/x')).toThrow('ENOENT');
    expect(() => makeDirectory(join(write('file', ''), 'x'))).toThrow('ENOTDIR');
    expect(() => makeDirectory(join(folder, 'file'))).toThrow('EEXIST');
  });
});

describe('TLS files', () => {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const at = (name: string): string => join(folder, name);
  const make = (name: string): void => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
    openssl('req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`, '-out', `${name}.pem`);
    chmodSync(at(`${name}.key`), 0o600);
  };
  beforeAll(() => {
    make('a');
    make('b');
  });
  const good = () => ({ certificate: at('a.pem'), key: at('a.key'), roots: at('b.pem') });
  const now = () => new Date(Date.now() + 60_000);
  const days = (count: number) => new Date(Date.now() + count * 86_400_000);

  test('that fit each other are read', () => {
    expect(readTlsFiles(good()).certificate).toContain('BEGIN CERTIFICATE');
    assertTlsFiles([good(), { certificate: at('b.pem'), key: at('b.key') }], now());
  });

  test.each<[string, object, string]>([
    ['a key of another certificate', { key: 'b.key' }, 'The key in b.key is not that of the certificate in a.pem.'],
    ['no key', { key: 'empty.key' }, 'The secret file empty.key is empty.'],
    ['a key that is none', { key: 'text.key' }, 'There is no private key (PEM, not encrypted) in text.key.'],
    ['no certificate', { certificate: 'a.key' }, 'There is no certificate (PEM) in a.key.'],
    ['a broken root', { roots: 'broken.pem' }, "Certificate 2 in broken.pem can't be parsed."],
    ['no root at all', { roots: 'empty.key' }, 'There is no certificate (PEM) in empty.key.'],
    ['a file that is not there', { roots: 'absent' }, "The file absent can't be read."],
  ])('with %s are refused', (_what, change, message) => {
    write('empty.key', '');
    write('text.key', 'secret-of-somebody');
    const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    write('broken.pem', readTextFile(at('a.pem')) + broken);
    const paths = Object.fromEntries(Object.entries(change).map(([name, file]) => [name, at(String(file))]));
    const error = catchError(() => readTlsFiles({ ...good(), ...paths }));
    expect([error.code, error.message.replaceAll(`${folder}/`, '')]).toEqual(['config_invalid', message]);
  });

  test('are checked all at once, with the time', () => {
    const late = catchError(() => assertTlsFiles([good(), { ...good(), key: at('b.key') }], days(9)));
    expect(late.message.split('\n')).toEqual([
      expect.stringMatching(/^The certificate in \S+a\.pem has expired at 20/),
      `No root in ${at('b.pem')} is valid at this time.`,
      `The key in ${at('b.key')} is not that of the certificate in ${at('a.pem')}.`,
    ]);
    expect(catchError(() => assertTlsFiles([good()], days(-9))).message).toMatch(/a\.pem is valid only from 20/);
  });
});

describe('a process', () => {
  /** Runs a main in a process of its own. */
  function start(body: string, args: readonly string[] = [], stdout: 'pipe' | number = 'pipe', options: object = {}) {
    const script = `import { runMain, loadConfig } from '@sigillum/service-kit';
      import { SigillumError } from '@sigillum/errors';
      import { z } from 'zod';
      runMain(async (args, { signal }) => { ${body} }, ${JSON.stringify(options)});`;
    const path = write(`main-${Math.random().toString(36).slice(2)}.mts`, script);
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script, path, ...args], {
      cwd: import.meta.dirname,
      stdio: ['pipe', stdout, 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: unknown) => (output += String(data)));
    const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({ code, signal, output }));
    const says = async (text: string): Promise<void> => {
      while (!output.includes(text)) await once(child.stdout ?? child, 'data');
    };
    return { child, ended, says };
  }

  const running = `const keep = setInterval(() => undefined, 1000);
    process.stdout.write('started');
    return { stop: async () => { process.stdout.write('stopped'); clearInterval(keep); } };`;

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('stops on %s and ends with 0', async (signal) => {
    const { child, ended, says } = start(running);
    await says('started');
    child.kill(signal);
    child.kill(signal);
    expect(await ended).toEqual({ code: 0, signal: null, output: 'startedstopped' });
  });

  test('that takes reloads keeps one that comes while it starts until it has started, and forgets one while it stops', async () => {
    const { child, ended, says } = start(
      `const keep = setInterval(() => undefined, 1000);
      const goOn = () => new Promise((resolve) => process.once('SIGUSR2', resolve));
      const start = goOn();
      process.stdout.write('starting ');
      await start;
      process.stdout.write('started ');
      return {
        reload: () => process.stdout.write('reload '),
        stop: async () => {
          const end = goOn();
          process.stdout.write('stopping ');
          await end;
          process.stdout.write('stopped');
          clearInterval(keep);
        },
      };`,
      [],
      'pipe',
      { takesReload: true },
    );
    await says('starting');
    child.kill('SIGHUP');
    child.kill('SIGUSR2');
    await says('started reload');
    child.kill('SIGHUP');
    await says('reload reload');
    child.kill('SIGTERM');
    await says('stopping');
    child.kill('SIGHUP');
    child.kill('SIGUSR2');
    expect(await ended).toEqual({
      code: 0,
      signal: null,
      output: 'starting started reload reload stopping stopped',
    });
  });

  test('with a lifeline stops at the end of stdin, without one does not', async () => {
    const bound = start(running, ['--lifeline']);
    await bound.says('started');
    bound.child.stdin?.end();
    expect(await bound.ended).toMatchObject({ code: 0, output: 'startedstopped' });
    const free = start(running);
    await free.says('started');
    free.child.stdin?.end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(free.child.exitCode).toBeNull();
    free.child.kill('SIGTERM');
    await free.ended;
  });

  test('that is asked to stop while it starts, ends its start first', async () => {
    const { child, ended, says } = start(`process.stdout.write('starting');
      const keep = setInterval(() => undefined, 1000);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { stop: async () => { process.stdout.write(' stopped'); clearInterval(keep); } };`);
    await says('starting');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, output: 'starting stopped' });
  });

  test('whose work is done ends with 0, and what it said is out', async () => {
    const { ended } = start(`process.stdout.write('x'.repeat(300_000)); return undefined;`);
    const { code, output } = await ended;
    expect([code, output.length]).toEqual([0, 300_000]);
  });

  test('goes on when its log is on a full disk', async () => {
    const full = openSync('/dev/full', 'w');
    const write = `process.stdout.write('line'); await new Promise((resolve) => setTimeout(resolve, 20));`;
    const { ended } = start(`${write} ${write} process.stderr.write('goes on'); return undefined;`, [], full);
    closeSync(full);
    expect(await ended).toEqual({ code: 0, signal: null, output: 'goes on' });
  });

  test('with a wrong configuration ends with 78 and tells every problem', async () => {
    const path = write('wrong.yaml', 'a: 1\nb: 2\n');
    const schema = `z.strictObject({ a: z.string(), b: z.string() })`;
    const { ended } = start(`loadConfig(args.configPath, ${schema}); return undefined;`, ['--config', path]);
    const { code, output } = await ended;
    expect(code).toBe(78);
    expect(output).toMatch(/\/a: [^]*\/b: /);
  });

  test.each([
    ['a main that fails', `throw new Error('boom');`],
    ['an unhandled rejection', `void Promise.reject(new Error('boom')); ${running}`],
    ['an uncaught exception', `setTimeout(() => { throw new Error('boom'); }); ${running}`],
    [
      'a stop that fails',
      `setTimeout(() => process.kill(process.pid, 'SIGTERM'), 50);
      const keep = setInterval(() => undefined, 1000);
      return { stop: async () => { throw new Error('boom'); } };`,
    ],
  ])('ends with 1 after %s, and logs why', async (_name, body) => {
    const { code, output } = await start(body).ended;
    expect(code).toBe(1);
    const line = output.split('\n').find((text) => text.includes('boom')) ?? '';
    expect(JSON.parse(line.replace(/^started/, ''))).toMatchObject({ level: 'error', error: { message: 'boom' } });
  });
});
