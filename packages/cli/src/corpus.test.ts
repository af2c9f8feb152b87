import { execFile, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SigillumError } from '@sigillum/errors';
import { makeSamplePdf } from '@sigillum/testing';
import { TestService } from '../../document-service/test/test-service.ts';
import type { CorpusResult } from './corpus/corpus-result.ts';
import { SupervisedWorker, type WorkerLimits } from './corpus/supervised-worker.ts';
import { ResultTable } from './corpus/tabulate-results.ts';

const service = new TestService();
const pdf = Buffer.from(makeSamplePdf());
const script = join(import.meta.dirname, '../bin/sigillum.mjs');
let folder: string;

beforeAll(async () => {
  await service.start();
  folder = mkdtempSync(join(tmpdir(), 'sigillum-corpus-'));
  mkdirSync(join(folder, 'home/run'), { recursive: true });
  const root = service.pki.path('root.pem');
  const ready = { url: service.url, api_key: await service.provision('Sandbox'), root_certificate: root };
  writeFileSync(join(folder, 'home/run/ready.json'), JSON.stringify(ready));
});
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  rmSync(join(folder, 'in'), { recursive: true, force: true });
  rmSync(join(folder, 'out'), { recursive: true, force: true });
  mkdirSync(join(folder, 'in/below'), { recursive: true });
});

type Result = { code: number; stdout: string; stderr: string; lines: readonly CorpusResult[] };

function run(...args: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    const all = [script, 'corpus', 'in', '--home', 'home', '--json', 'out.jsonl', ...args];
    execFile('node', all, { cwd: folder }, (error, stdout, stderr) => {
      const lines = readFileSync(join(folder, 'out.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .filter((line) => line !== '');
      resolve({
        code: error === null ? 0 : Number(error.code),
        stdout,
        stderr,
        lines: lines
          .map((line) => JSON.parse(line) as CorpusResult)
          .sort((a, b) => Buffer.compare(Buffer.from(a.file), Buffer.from(b.file))),
      });
    });
  });
}

describe('sigillum corpus', () => {
  test('seals every PDF below a folder, follows links but not in circles, and names outputs like inputs', async () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere, { recursive: true });
    writeFileSync(join(elsewhere, 'far.pdf'), pdf);
    writeFileSync(join(folder, 'in/one.pdf'), pdf);
    writeFileSync(join(folder, 'in/below/TWO.PDF'), pdf);
    writeFileSync(join(folder, 'in/below/no-extension'), pdf);
    writeFileSync(join(folder, 'in/notes.txt'), 'no PDF at all');
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'in/caf')), Buffer.of(0xe9), Buffer.from('.pdf')]), pdf);
    symlinkSync(join(folder, 'in'), join(folder, 'in/below/circle'));
    symlinkSync(elsewhere, join(folder, 'in/linked'));
    symlinkSync(join(elsewhere, 'far.pdf'), join(folder, 'in/link.pdf'));
    const { code, stdout, lines } = await run('--out', 'in/out');
    const names = ['below/TWO.PDF', 'below/no-extension', 'caf\ufffd.pdf', 'link.pdf', 'linked/far.pdf', 'one.pdf'];
    expect([code, lines.map(({ file }) => file)]).toEqual([0, names]);
    for (const line of lines) {
      expect(line).toMatchObject({
        outcome: 'sealed',
        code: null,
        level: 'b-t',
        verified: true,
        findings: [],
        size: pdf.length,
      });
      expect(line.cpu_ms).toBeGreaterThan(0);
      const sealed = readFileSync(join(folder, 'in/out', line.file));
      expect([sealed.length, sealed.subarray(0, pdf.length).equals(pdf)]).toEqual([line.sealed_size, true]);
    }
    expect(stdout).toMatch(/^6 files: 6 sealed, 0 refused, 0 failed, [\d.]+ s\noutcome {2}code/);
    // what came out is not sealed once more
    expect((await run('--out', 'in/out')).lines).toHaveLength(6);
    expect(readdirSync(join(folder, 'in/out/below')).sort()).toEqual(['TWO.PDF', 'no-extension']);
  }, 60_000);

  test('goes on after files that are refused or can not be read, and says so', async () => {
    writeFileSync(join(folder, 'in/good.pdf'), pdf);
    writeFileSync(join(folder, 'in/cut.pdf'), pdf.subarray(0, 300));
    writeFileSync(join(folder, 'in/empty.pdf'), '');
    symlinkSync('nowhere', join(folder, 'in/dangling.pdf'));
    execFileSync('mkfifo', [join(folder, 'in/pipe.pdf')]);
    mkdirSync(join(folder, 'in/folder.pdf'));
    const { code, lines, stderr } = await run('--out', 'out');
    expect([code, lines.map(({ file, outcome, code: why }) => [file, outcome, why])]).toEqual([
      1,
      [
        ['cut.pdf', 'refused', 'pdf_startxref_missing'],
        ['dangling.pdf', 'failed', 'corpus_file_unreadable'],
        ['empty.pdf', 'refused', 'seal_document_empty'],
        ['good.pdf', 'sealed', null],
        ['pipe.pdf', 'failed', 'corpus_file_unreadable'],
      ],
    ]);
    expect(stderr).toContain('failed: pipe.pdf: corpus_file_unreadable');
    expect(readdirSync(join(folder, 'out'))).toEqual(['good.pdf']);
  }, 60_000);

  test('asks a service again that is busy for a moment', async () => {
    writeFileSync(join(folder, 'in/one.pdf'), pdf);
    let refusals = 0;
    service.signInstead = () => {
      refusals += 1;
      service.signInstead = undefined;
      throw new SigillumError('signer_unavailable', 'Not now.', { retryAfterSeconds: 1 });
    };
    const { code, lines } = await run();
    expect([code, refusals, lines[0]?.outcome]).toEqual([0, 1, 'sealed']);
    expect(lines[0]?.elapsed_ms).toBeGreaterThanOrEqual(1_000);
  }, 60_000);

  test.each([
    [['none'], 'no folder'],
    [['a', 'b'], 'one folder'],
    [[], 'one folder'],
    [['in', '--level', 'b-b'], 'no level b-b'],
    [['in', '--home', 'nowhere'], 'not running'],
  ])('%p is wrong usage', (args, why) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    execFile('node', [script, 'corpus', ...args], { cwd: folder }, (error, _stdout, stderr) => {
      expect([error?.code, stderr]).toEqual([2, expect.stringContaining(why)]);
      resolve();
    });
    return promise;
  });
});

describe('a worker that is supervised', () => {
  const limits: WorkerLimits = {
    timeoutMs: 5_000,
    timeoutMsPerMegabyte: 0,
    residentBytes: 400 * 1024 ** 2,
    heapMegabytes: 64,
  };
  const start = { type: 'start', url: '', apiKey: '', roots: [], level: 'b-t', credential: undefined } as const;
  const result = { outcome: 'sealed' };
  /** A process that does with a job what its path says. */
  const program = `
    const held = [];
    process.on('message', ({ type, path }) => {
      const act = {
        seal: () => process.send({ type: 'result', result: ${JSON.stringify(result)} }),
        hang: () => { while (true); },
        exit: () => process.exit(3),
        throw: () => { throw new TypeError('a slip'); },
        heap: () => { while (true) held.push([...Array(1000).keys()].map(String)); },
        buffers: () => { while (true) held.push(Buffer.alloc(1e6, 1)); },
      };
      if (type === 'seal') act[Buffer.from(path, 'base64').toString()]();
    });`;

  test.each([
    ['hang', 'corpus_timeout', /No answer within 5000 ms/],
    ['exit', 'corpus_crashed', /exit code 3/],
    ['throw', 'corpus_crashed', /a slip/],
    ['heap', 'corpus_memory_exceeded', /./],
    ['buffers', 'corpus_memory_exceeded', /grown/],
  ])(
    'that does "%s" is ended, and the next file gets another one',
    async (action, code, detail) => {
      const path = join(folder, 'worker.cjs');
      writeFileSync(path, program);
      let started = 0;
      const startWorker = (execArgv: readonly string[]) => {
        started += 1;
        return fork(path, [], { execArgv: [...execArgv], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
      };
      const worker = new SupervisedWorker(startWorker, start, {
        ...limits,
        ...(action === 'hang' ? {} : { timeoutMs: 60_000 }),
      });
      const job = (what: string) =>
        ({ type: 'seal', path: Buffer.from(what).toString('base64'), size: 0, output: null }) as const;
      try {
        expect(await worker.seal(job('seal'))).toEqual(result);
        expect(await worker.seal(job('seal'))).toEqual(result);
        expect(started).toBe(1);
        expect(await worker.seal(job(action))).toMatchObject({
          outcome: 'failed',
          code,
          detail: expect.stringMatching(detail),
        });
        expect(await worker.seal(job('seal'))).toEqual(result);
        expect(started).toBe(2);
      } finally {
        worker.close();
      }
    },
    90_000,
  );
});

test('a worker in an endless loop dies with the process that started it', async () => {
  const path = join(folder, 'endless.cjs');
  writeFileSync(path, "process.on('message', () => { process.stderr.write('busy'); while (true); });");
  const starter = join(folder, 'starter.mjs');
  writeFileSync(
    starter,
    `import { startCorpusWorker } from ${JSON.stringify(join(import.meta.dirname, 'corpus/start-corpus-worker.ts'))};
    const child = startCorpusWorker(${JSON.stringify(path)}, [], []);
    child.stderr.once('data', () => process.stdout.write(String(child.pid)));
    child.send('work');`,
  );
  const options = ['--conditions=source', '--no-warnings=ExperimentalWarning'];
  const parent = spawn(process.execPath, [...options, starter], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(parent.stdout, 'data')).map(Number);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  parent.kill('SIGKILL');
  const isRunning = (): boolean => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  while (isRunning()) await sleep(20);
}, 60_000);

test('the table has a row for each outcome and code, with shares of CPU', () => {
  const table = new ResultTable();
  for (let index = 1; index <= 100; index++) table.add({ outcome: 'sealed', code: null, cpu_ms: index });
  table.add({ outcome: 'failed', code: 'corpus_timeout', cpu_ms: null });
  table.add({ outcome: 'refused', code: 'pdf_xref_loop', cpu_ms: 0.5 });
  expect(
    table
      .describe()
      .split('\n')
      .map((line) => line.split(/\s+/).filter((word) => word !== '')),
  ).toEqual([
    ['outcome', 'code', 'files', 'CPU', 'ms:', 'median', '90', '%', '99', '%', 'max'],
    ['sealed', '100', '50.0', '90.0', '99.0', '100.0'],
    ['refused', 'pdf_xref_loop', '1', '0.5', '0.5', '0.5', '0.5'],
    ['failed', 'corpus_timeout', '1', '-', '-', '-', '-'],
    [],
  ]);
});
