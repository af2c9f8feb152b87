import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { examineSignatures } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import { makeSamplePdf, sealAtLevel, SoftwarePki } from '@sigillum/testing';
import type { DocumentSource } from '../sealing/spooled-document.ts';
import { type JudgingLimits, judgingLimits } from './judging-limits.ts';
import { JudgingPool } from './judging-pool.ts';

const folder = mkdtempSync(join(tmpdir(), 'sigillum-judging-'));
const pools: JudgingPool[] = [];
let pki: SoftwarePki;
let sealed: Uint8Array;

beforeAll(async () => {
  pki = await SoftwarePki.make();
  sealed = (await sealAtLevel(makeSamplePdf(), pki, { level: 'b-lta' })).bytes;
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A pool whose processes run this instead: `port` is where questions come and answers go. */
function makePool(limits: Partial<JudgingLimits> = {}, body?: string): JudgingPool {
  let script: URL | undefined;
  if (body !== undefined) {
    const path = join(folder, `${pools.length}-${Math.random()}.mjs`);
    writeFileSync(
      path,
      `const port = { on: (name, f) => process.on(name, f), postMessage: (answer) => process.send(answer) };\n${body}`,
    );
    script = pathToFileURL(path);
  }
  const pool = new JudgingPool({ ...judgingLimits, ...limits }, script);
  pools.push(pool);
  return pool;
}

const options = (): { roots: readonly Uint8Array[]; now: Date } => ({ roots: [pki.root.certificate], now: pki.now });
const endless = "port.on('message', () => { for (;;); });";
const small: DocumentSource = createArraySource(new Uint8Array(1));

describe('judging in another process', () => {
  test('gives what it gives here, from memory and from an open file without a name', async () => {
    const here = examineSignatures(createArraySource(sealed), options());
    const pool = makePool();
    expect(await pool.judge(createArraySource(sealed), options())).toEqual(here);
    const path = join(folder, 'sealed.pdf');
    writeFileSync(path, sealed);
    const fd = openSync(path, 'r');
    rmSync(path);
    const read = (): never => {
      throw new Error('all of the document was read here');
    };
    expect(await pool.judge({ fd, size: sealed.length, read }, options())).toEqual(here);
    closeSync(fd);
    expect(here.report.accepted).toBe(true);
    const [strange] = await Promise.allSettled([
      pool.judge(createArraySource(sealed), { ...options(), roots: [small.read(0, 1)] }),
    ]);
    expect(strange).toMatchObject({ status: 'rejected', reason: { code: 'pki_certificate_invalid' } });
    expect(pool.load).toEqual({ judging: 0, waiting: 0 });
  });

  test('leaves this process free, and ends what takes too long; the next document is judged as ever', async () => {
    // the process begins with an endless loop, and judges properly when it is started again
    const flag = join(folder, 'flag');
    const pool = makePool(
      { workers: 1, timeoutMs: 1_500 },
      `import { existsSync, writeFileSync } from 'node:fs';
      if (!existsSync(${JSON.stringify(flag)})) { writeFileSync(${JSON.stringify(flag)}, ''); port.on('message', () => { for (;;); }); }
      else port.on('message', () => port.postMessage({ kind: 'judged', judged: 'in order' }));`,
    );
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    const first = pool.judge(small, options());
    const second = pool.judge(small, options());
    await expect(first).rejects.toMatchObject({ code: 'extension_too_costly' });
    expect(turns).toBeGreaterThan(10);
    clearInterval(turning);
    expect(await second).toBe('in order');
  });

  test('refuses at once what is more than may wait, and the others come out', async () => {
    const pool = makePool({ workers: 1, waiting: 2, timeoutMs: 1_000 }, endless);
    const outcomes = [1, 2, 3].map(() => pool.judge(small, options()));
    expect(pool.load).toEqual({ judging: 1, waiting: 2 });
    expect(() => pool.judge(small, options())).toThrow(expect.objectContaining({ code: 'service_overloaded' }));
    for (const outcome of await Promise.allSettled(outcomes)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'extension_too_costly' } });
    }
  });

  test('ends a process that takes too much memory, or breaks, or just ends', async () => {
    const hungry = makePool(
      { heapMb: 32 },
      "port.on('message', () => { const all = []; for (;;) all.push([all.length]); });",
    );
    await expect(hungry.judge(small, options())).rejects.toMatchObject({ code: 'extension_too_costly' });
    const broken = makePool({}, "port.on('message', () => { throw new Error('broken'); });");
    await expect(broken.judge(small, options())).rejects.toMatchObject({ code: 'internal_error' });
    const ending = makePool({}, "port.on('message', () => process.exit(0));");
    await expect(ending.judge(small, options())).rejects.toMatchObject({ code: 'internal_error' });
  });

  test('is left off when the caller goes: nothing reads the document any more', async () => {
    const path = join(folder, 'read.pdf');
    writeFileSync(path, sealed);
    const pool = makePool({ workers: 1 }, endless);
    const [running, waiting] = [new AbortController(), new AbortController()];
    const fd = openSync(path, 'r');
    const source: DocumentSource = {
      fd,
      size: sealed.length,
      read: (offset, length) => {
        const bytes = new Uint8Array(length);
        readSync(fd, bytes, 0, length, offset);
        return bytes;
      },
    };
    const outcomes = [pool.judge(source, options(), running.signal), pool.judge(source, options(), waiting.signal)];
    const gone = new Error('gone');
    waiting.abort(gone);
    await expect(outcomes[1]).rejects.toBe(gone);
    expect(pool.load).toEqual({ judging: 1, waiting: 0 });
    running.abort(gone);
    await expect(outcomes[0]).rejects.toBe(gone);
    expect(pool.load).toEqual({ judging: 0, waiting: 0 });
    closeSync(fd);
  });

  test('ends with the service', async () => {
    const pool = makePool({ workers: 1 }, endless);
    const outcomes = [pool.judge(small, options()), pool.judge(small, options())];
    const settled = Promise.allSettled(outcomes);
    await pool.close();
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'service_unavailable' } });
    }
    expect(() => pool.judge(small, options())).toThrow(expect.objectContaining({ code: 'service_overloaded' }));
  });

  test('keeps a process for the next document, and lets it go when none comes', async () => {
    const counting = "port.on('message', () => port.postMessage({ kind: 'judged', judged: process.pid }));";
    const pool = makePool({ idleMs: 300 }, counting);
    const first = await pool.judge(small, options());
    expect(await pool.judge(small, options())).toBe(first);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await pool.judge(small, options())).not.toBe(first);
  });

  test('who waits is told when no other process can be started', async () => {
    let started = 0;
    const limits = {
      ...judgingLimits,
      workers: 1,
      get heapMb(): number {
        started += 1;
        if (started > 1) throw new Error('no memory');
        return judgingLimits.heapMb;
      },
    };
    const path = join(folder, 'endless.mjs');
    writeFileSync(path, "process.on('message', () => { for (;;); });");
    const pool = new JudgingPool(limits, pathToFileURL(path));
    pools.push(pool);
    const hangUp = new AbortController();
    const all = [hangUp.signal, undefined, undefined].map((signal) => pool.judge(small, options(), signal));
    const ended = Promise.allSettled(all);
    hangUp.abort(new Error('hung up'));
    const reasons = (await ended).map((end) => end.status === 'rejected' && String(end.reason));
    expect(reasons).toEqual(['Error: hung up', 'Error: no memory', 'Error: no memory']);
    expect(pool.load).toEqual({ judging: 0, waiting: 0 });
  });

  test('ends with the process that asked, even in the middle of a document', async () => {
    const endlessly = join(folder, 'endlessly.mjs');
    const asking = join(folder, 'asking.mjs');
    const note = join(folder, 'judging.pid');
    writeFileSync(
      endlessly,
      `import { renameSync, writeFileSync } from 'node:fs';
      import ${JSON.stringify(new URL('judging-worker.ts', import.meta.url))};
      process.prependListener('message', () => {
        writeFileSync('${note}.part', String(process.pid));
        renameSync('${note}.part', '${note}');
        for (;;);
      });`,
    );
    writeFileSync(
      asking,
      `import { pathToFileURL } from 'node:url';
      import { JudgingPool } from ${JSON.stringify(new URL('judging-pool.ts', import.meta.url))};
      const pool = new JudgingPool(undefined, pathToFileURL('${endlessly}'));
      await pool.judge({ size: 1, read: () => new Uint8Array(1) }, { roots: [], now: new Date() });`,
    );
    const args = ['--conditions=source', '--no-warnings', asking];
    const parent = spawn(process.execPath, args, { stdio: 'ignore' });
    try {
      while (!existsSync(note)) await pause(50);
    } finally {
      parent.kill('SIGKILL');
    }
    const judging = Number(readFileSync(note, 'utf8'));
    while (isRunning(judging)) await pause(50);
  });
});

/** Not gone, and not a body that nobody has buried yet (proc(5): the state follows the name). */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
