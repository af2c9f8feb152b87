import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SigillumError } from '@sigillum/errors';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AuditFile, type AuditFileSystem, AuditLog, createNodeFileSystem, verifyAuditLog } from './index.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sigillum-audit-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const chain = 'test-1';
const open = (more: object = {}): Promise<AuditLog> => AuditLog.open({ directory, chain, ...more });
const verify = (): ReturnType<typeof verifyAuditLog> => verifyAuditLog({ directory, chain });
const segment = (sequence = 1): string => join(directory, `${String(sequence).padStart(12, '0')}.jsonl`);
const code = (value: string): object => expect.objectContaining({ code: value });

/** The real file system with its files wrapped. */
function wrapFiles(wrap: (file: AuditFile) => AuditFile): AuditFileSystem {
  const real = createNodeFileSystem();
  return {
    ...real,
    openFile: async (path, mode) => {
      const file = await real.openFile(path, mode);
      return path.endsWith('.jsonl') ? wrap(file) : file;
    },
  };
}

function diskFull(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

/** Another process that opens the log and keeps it; says `open` or the error in its first line. */
function startHolder(
  wrapper: readonly string[] = [],
  env?: NodeJS.ProcessEnv,
): { pid: number | undefined; said: Promise<string>; ended: Promise<unknown>; kill(): void } {
  const script = `
    import { AuditLog } from '@sigillum/audit';
    try {
      const log = await AuditLog.open(${JSON.stringify({ directory, chain })});
      await log.append({ type: 'held' });
      process.stdout.write('open\\n');
      setInterval(() => log.head, 1000);
    } catch (error) {
      process.stdout.write(error.code + ' ' + error.message + '\\n');
    }`;
  const [program, ...args] = [...wrapper, process.execPath, '--conditions=source', '--input-type=module', '-e', script];
  const child = spawn(program ?? '', args, {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(env === undefined ? {} : { env }),
  });
  // Its end, and that of whatever the wrapper started: the pipe closes with the last of them.
  const ended = once(child, 'close');
  const said = once(createInterface(child.stdout), 'line').then(([line]) => String(line));
  return { pid: child.pid, said, ended, kill: () => void child.kill('SIGKILL') };
}

describe('the audit log', () => {
  test.each([
    ['the folder is deleted', () => rm(directory, { recursive: true })],
    ['the folder is moved', () => rename(directory, `${directory}-moved`)],
    [
      'the segment is replaced by a copy',
      async () => {
        const text = await readFile(segment());
        await rm(segment());
        await writeFile(segment(), text);
      },
    ],
    ['the lock file is deleted', () => rm(join(directory, 'lock'))],
  ])('fails by itself when %s while it is open: nothing is written to where nobody reads', async (_what, take) => {
    const { promise: failed, resolve } = Promise.withResolvers<SigillumError>();
    const log = await open({ onFailure: resolve });
    await log.append({ type: 'a' });
    await take();
    expect((await failed).message).toContain('its place is gone');
    await expect(log.append({ type: 'b' })).rejects.toEqual(code('audit_write_failed'));
    await log.close();
    await rm(`${directory}-moved`, { recursive: true, force: true });
  });

  test('numbers events from 1 and continues the chain over restarts', async () => {
    const first = await open();
    expect(first.head.sequence).toBe(0);
    expect((await first.append({ type: 'a' })).sequence).toBe(1);
    expect((await first.append({ type: 'b' })).sequence).toBe(2);
    await first.close();
    const second = await open();
    expect(second.head.sequence).toBe(2);
    const head = await second.append({ type: 'c' });
    expect(second.head).toEqual(head);
    await second.close();
    const report = await verifyAuditLog({ directory, chain, expectedHead: head });
    expect(report).toMatchObject({ intact: true, lines: 3 });
    expect((await stat(segment())).mode & 0o777).toBe(0o600);
  });

  test('tells nobody before the sync, and syncs once for all that wait', async () => {
    const order: string[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const fileSystem = wrapFiles((file) => ({
      ...file,
      write: (bytes) => {
        order.push(`write ${Buffer.from(bytes).toString().split('\n').length - 1}`);
        return file.write(bytes);
      },
      sync: async () => {
        await gate;
        order.push('sync');
        await file.sync();
      },
    }));
    const log = await open({ fileSystem });
    const tell = (): void => void order.push('told');
    const early = [log.append({ n: 1 }).then(tell), log.append({ n: 2 }).then(tell)];
    while (order.length === 0) await new Promise(setImmediate);
    const late = Array.from({ length: 50 }, (_, n) => log.append({ late: n }).then(tell));
    await new Promise(setImmediate);
    expect(order).toEqual(['write 2']);
    expect(log.head.sequence).toBe(0);
    release();
    await Promise.all([...early, ...late]);
    const told = order.indexOf('told');
    expect(order.slice(0, told).filter((step) => step !== 'write 50')).toEqual(['write 2', 'sync']);
    expect(order.filter((step) => step !== 'told')).toEqual(['write 2', 'sync', 'write 50', 'sync']);
    expect(order.slice(0, order.lastIndexOf('sync')).filter((step) => step === 'told')).toHaveLength(2);
    await log.close();
    expect(await verify()).toMatchObject({ intact: true, lines: 52 });
  });

  test('rejects all that wait and all that comes when the disk is full, until it is opened again', async () => {
    let full = false;
    const fileSystem = wrapFiles((file) => ({
      ...file,
      write: async (bytes) => {
        if (!full) return file.write(bytes);
        // A full disk takes a part.
        await file.write(bytes.subarray(0, 40));
        throw diskFull();
      },
    }));
    const failures: unknown[] = [];
    const log = await open({ fileSystem, onFailure: (failure: unknown) => void failures.push(failure) });
    await log.append({ n: 1 });
    full = true;
    const results = await Promise.allSettled([log.append({ n: 2 }), log.append({ n: 3 })]);
    expect(results.map((result) => result.status === 'rejected' && (result.reason as { code: string }).code)).toEqual([
      'audit_write_failed',
      'audit_write_failed',
    ]);
    full = false;
    await expect(log.append({ n: 4 })).rejects.toEqual(code('audit_write_failed'));
    expect(log.head.sequence).toBe(1);
    expect(log.failure).toEqual(code('audit_write_failed'));
    await log.close();
    expect(failures).toEqual([code('audit_write_failed')]);

    const again = await open();
    await again.append({ n: 5 });
    await again.close();
    const report = await verify();
    expect(report).toMatchObject({ intact: true, lines: 3 });
    expect(await readFile(segment(), 'utf8')).toContain('"removed_bytes":40,');
  });

  test('does not trust a disk whose sync failed once', async () => {
    let broken = true;
    const fileSystem = wrapFiles((file) => ({
      ...file,
      sync: () => (broken ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : file.sync()),
    }));
    const log = await open({ fileSystem });
    await expect(log.append({ n: 1 })).rejects.toEqual(code('audit_write_failed'));
    broken = false;
    await expect(log.append({ n: 2 })).rejects.toEqual(code('audit_write_failed'));
    await log.close();
  });

  test('makes its folder with the parents, and says so where nobody can', async () => {
    const nested = join(directory, 'a', 'b');
    await (await open({ directory: nested })).close();
    expect((await stat(nested)).mode & 0o777).toBe(0o700);
    await expect(open({ directory: '/proc/sigillum-audit' })).rejects.toEqual(code('audit_write_failed'));
    await writeFile(join(directory, 'file'), '');
    await expect(open({ directory: join(directory, 'file') })).rejects.toEqual(code('audit_write_failed'));
  });

  test('removes a last line cut by a crash and says so in the log', async () => {
    const log = await open();
    await log.append({ n: 1 });
    await log.close();
    await appendFile(segment(), '{"sequence":2,"previous":"ab');
    const again = await open();
    expect(again.head.sequence).toBe(2);
    await again.close();
    expect(await readFile(segment(), 'utf8')).toContain('"event":{"removed_bytes":28,"time":"');
    expect((await verify()).intact).toBe(true);
  });

  test('continues after a crash that left a segment empty or with half a line', async () => {
    const log = await open();
    await log.append({ n: 1 });
    await log.close();
    await writeFile(segment(2), '{"seq');
    const again = await open();
    await again.append({ n: 2 });
    await again.close();
    expect(await verify()).toMatchObject({ intact: true, lines: 3 });
  });

  test('refuses to continue a log whose last line was changed, or that is another chain', async () => {
    const log = await open();
    await log.append({ n: 1 });
    await log.close();
    await expect(open({ chain: 'other' })).rejects.toEqual(code('audit_log_damaged'));
    const line = await readFile(segment(), 'utf8');
    await writeFile(segment(), line.replace('"n":1', '"n":2'));
    await expect(open()).rejects.toEqual(code('audit_log_damaged'));
    // A refusal leaves no lock behind.
    await writeFile(segment(), line);
    await (await open()).close();
  });

  test('goes on in a new segment when one is full', async () => {
    const log = await open({ segmentBytes: 500 });
    for (let n = 0; n < 10; n += 1) await log.append({ n });
    await log.close();
    const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl'));
    expect(names.length).toBeGreaterThan(2);
    const again = await open({ segmentBytes: 500 });
    await again.append({ n: 10 });
    await again.close();
    expect(await verify()).toMatchObject({ intact: true, lines: 11, head: { sequence: 11 } });
  });

  test('refuses what it can not record without harm to the rest', async () => {
    const log = await open();
    await expect(log.append({ text: 'x'.repeat(70_000) })).rejects.toEqual(code('audit_event_invalid'));
    await expect(log.append({ n: Number.NaN })).rejects.toEqual(code('audit_event_invalid'));
    expect((await log.append({ n: 1 })).sequence).toBe(1);
    await log.close();
    await expect(log.append({ n: 2 })).rejects.toEqual(code('audit_closed'));
    expect((await verify()).intact).toBe(true);
  });

  test('lets only so many events wait', async () => {
    const log = await open();
    const results = await Promise.allSettled(Array.from({ length: 10_050 }, (_, n) => log.append({ n })));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(50);
    expect(refused[0]?.reason).toEqual(code('audit_overloaded'));
    await log.close();
    expect(await verify()).toMatchObject({ intact: true, lines: 10_000 });
  });

  test('writes what waits before it closes', async () => {
    const log = await open();
    const waiting = Array.from({ length: 5 }, (_, n) => log.append({ n }));
    await log.close();
    expect((await Promise.all(waiting)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect((await verify()).lines).toBe(5);
  });
});

describe('the lock', () => {
  test('lets one writer in, and says who it is', async () => {
    const log = await open();
    await expect(open()).rejects.toEqual(code('audit_locked'));
    await expect(open()).rejects.toThrow(String(process.pid));
    await log.close();
    await (await open()).close();
    expect((await readdir(directory)).filter((name) => name.startsWith('lock'))).toEqual(['lock']);
  });

  test('of ten that open at the same time, lets one in', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => open()));
    const logs = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(logs).toHaveLength(1);
    await logs[0]?.close();
  });

  test.each(['1 1 not-this-boot', '', 'nonsense', `process ${process.pid} on here\n`])(
    'is free when nobody holds it, whatever the file says (%j)',
    async (holder) => {
      await writeFile(join(directory, 'lock'), holder);
      await (await open()).close();
    },
  );

  test('is no way to write through a symbolic link', async () => {
    await writeFile(join(directory, 'victim'), 'untouched');
    await symlink('victim', join(directory, 'lock'));
    await expect(open()).rejects.toEqual(code('audit_write_failed'));
    expect(await readFile(join(directory, 'victim'), 'utf8')).toBe('untouched');
  });

  test('says so when there is no program to lock with', async () => {
    const holder = startHolder([], { PATH: directory });
    expect(await holder.said).toContain('audit_write_failed The program flock (util-linux) is needed');
    holder.kill();
  });

  test('is free at once after kill -9 of its holder', async () => {
    const holder = startHolder();
    expect(await holder.said).toBe('open');
    await expect(open()).rejects.toThrow(`process ${holder.pid} on ${hostname()} writes the audit log`);
    holder.kill();
    await holder.ended;
    await (await open()).close();
  });

  // Two containers on one volume: each has its process 1, its /proc and its network.
  const ownNamespaces = [
    'unshare',
    '--user',
    '--map-root-user',
    '--pid',
    '--net',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const [program, ...options] = [...ownNamespaces, 'true'];
  const hasNamespaces = spawnSync(program, options).status === 0;
  (hasNamespaces ? test : test.skip)('holds across PID and network namespaces (needs user namespaces)', async () => {
    const first = startHolder(ownNamespaces);
    expect(await first.said).toBe('open');
    await expect(open()).rejects.toThrow('The process 1 on ');
    const second = startHolder(ownNamespaces);
    expect(await second.said).toContain('audit_locked The process 1 on ');
    await second.ended;
    first.kill();
    await first.ended;
    const third = startHolder(ownNamespaces);
    expect(await third.said).toBe('open');
    third.kill();
    await third.ended;
    expect((await verify()).intact).toBe(true);
  });

  test.each([
    ['', {}],
    [' while it begins a segment with every group', { segmentBytes: 1 }],
  ])('survives kill -9%s: what was told is there, and the next writer continues', async (_when, more) => {
    const script = `
      import { AuditLog } from '@sigillum/audit';
      const log = await AuditLog.open(${JSON.stringify({ directory, chain, ...more })});
      for (let n = 0; ; n += 1) {
        await Promise.all([log.append({ n }), log.append({ n, more: true })]);
        process.stdout.write(log.head.sequence + '\\n');
      }`;
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout.on('data', (chunk: Uint8Array) => {
      told += Buffer.from(chunk).toString();
      if (told.length > 200) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const last = Number(told.slice(0, told.lastIndexOf('\n')).split('\n').at(-1));
    const log = await open();
    expect(log.head.sequence).toBeGreaterThanOrEqual(last);
    await log.append({ type: 'after' });
    await log.close();
    expect((await verify()).intact).toBe(true);
  });
});
