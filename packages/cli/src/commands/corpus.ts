import { type FileHandle, mkdir, open, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { decodePem } from '@sigillum/pki';
import type { Console } from '../console.ts';
import { type CorpusResult, noSeal, type WorkerResult } from '../corpus/corpus-result.ts';
import { findPdfFiles, type FoundFile } from '../corpus/find-pdf-files.ts';
import { defaultLimits, SupervisedWorker } from '../corpus/supervised-worker.ts';
import { ResultTable } from '../corpus/tabulate-results.ts';
import type { WorkerStart } from '../corpus/worker-messages.ts';
import { findRootCertificate } from '../find-root-certificate.ts';
import { findService } from '../find-service.ts';
import { assertGivenOnce, parseLevel, serviceOptions, toService } from '../parse-options.ts';
import { UsageError } from '../usage-error.ts';

/** Two files at once: a development home seals no faster by more, and each takes memory. */
const concurrency = 2;

/** A file whose process died or hung gets a fresh one once; a service that is busy is asked so often again. */
const maxDeaths = 2;
const maxBusy = 10;

/** What dies for a reason that another process needn't have. */
const deaths = ['corpus_crashed', 'corpus_memory_exceeded', 'corpus_timeout'];

const progressIntervalMs = 5_000;

export type CorpusCommand = {
  readonly folder: string;
  readonly json: string | undefined;
  readonly out: string | undefined;
  readonly level: WorkerStart['level'];
  readonly credential: string | undefined;
  readonly service: ReturnType<typeof toService>;
};

/** The arguments behind `corpus`. @throws UsageError */
export function parseCorpusCommand(args: readonly string[]): CorpusCommand {
  const text = { type: 'string' } as const;
  const options = { ...serviceOptions, json: text, out: text, level: text, credential: text };
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  assertGivenOnce(args, options);
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0) throw new UsageError('Name one folder with PDFs.');
  const { json, out, credential } = values;
  return { folder, json, out, credential, level: parseLevel(values.level), service: toService(values) };
}

/** `sigillum corpus`: 0 when every file was sealed or refused, 1 when one failed. Never stops at a file. */
export async function runCorpus(command: CorpusCommand, console: Console, limits = defaultLimits): Promise<number> {
  const { startWorker } = console;
  if (startWorker === undefined) throw new UsageError('There is no command corpus here.');
  const folder = resolve(console.directory, command.folder);
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw new UsageError(`There is no folder ${folder}.`);
  const start = await makeStart(command, console);
  const out = command.out === undefined ? undefined : resolve(console.directory, command.out);
  if (out !== undefined) await makeFolder(out);
  const report = await openReport(command.json, console);
  const table = new ResultTable();
  const progress = setInterval(() => console.writeError(`${describeProgress(table)}\n`), progressIntervalMs);
  const began = performance.now();
  try {
    const files = findPdfFiles(folder, out);
    const work = async (): Promise<void> => {
      const worker = new SupervisedWorker(startWorker, start, limits);
      try {
        for (let next = await files.next(); !next.done; next = await files.next()) {
          const result = await sealOne(next.value, worker, start.level, out);
          table.add(result);
          if (result.outcome === 'failed')
            console.writeError(`failed: ${result.file}: ${result.code}: ${result.detail}\n`);
          await report.write(`${JSON.stringify(result)}\n`);
        }
      } finally {
        worker.close();
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  } finally {
    clearInterval(progress);
    await report.close();
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const summary = `${describeProgress(table)}, ${seconds} s\n${table.describe()}`;
  if (command.json === '-') console.writeError(summary);
  else await console.writeOut(summary);
  return table.count('failed') === 0 ? 0 : 1;
}

async function sealOne(
  file: FoundFile,
  worker: SupervisedWorker,
  level: WorkerStart['level'],
  out: string | undefined,
): Promise<CorpusResult> {
  const began = performance.now();
  const { retry_after_ms: _retry, ...result } = await sealPatiently(file, worker, out);
  return { file: file.name, ...result, level, elapsed_ms: Math.round(performance.now() - began) };
}

async function sealPatiently(
  { path, name, size, problem }: FoundFile,
  worker: SupervisedWorker,
  out: string | undefined,
): Promise<WorkerResult> {
  if (size === undefined || problem !== undefined) {
    const detail = problem ?? null;
    const code = 'corpus_file_unreadable';
    return { ...noSeal, size: null, outcome: 'failed', code, detail, cpu_ms: null, retry_after_ms: null };
  }
  const output = out === undefined ? null : join(out, name);
  for (let died = 0, busy = 0; ; ) {
    const result = await worker.seal({ type: 'seal', path: path.toString('base64'), size, output });
    if (deaths.includes(result.code ?? '')) died += 1;
    else if (result.retry_after_ms !== null) busy += 1;
    else return result;
    if (died === maxDeaths || busy === maxBusy) return result;
    if (result.retry_after_ms !== null) await pause(result.retry_after_ms);
  }
}

async function makeStart(command: CorpusCommand, console: Console): Promise<WorkerStart> {
  const { url, apiKey, home } = await findService(command.service, console.directory);
  if (apiKey === undefined) throw new UsageError('Sealing needs an API key: --key-file FILE.');
  const roots =
    home === undefined ? [] : decodePem(await readFile(await findRootCertificate(home, console.directory), 'utf8'));
  const { level, credential } = command;
  return {
    type: 'start',
    url,
    apiKey,
    roots: roots.map((root) => Buffer.from(root).toString('base64')),
    level,
    credential,
  };
}

/** Where the lines go: one after the other, whoever writes. */
async function openReport(path: string | undefined, console: Console) {
  if (path === undefined) return { write: async () => undefined, close: async () => undefined };
  if (path === '-') return { write: (line: string) => console.writeOut(line), close: async () => undefined };
  let file: FileHandle;
  try {
    file = await open(resolve(console.directory, path), 'w');
  } catch (cause) {
    throw new UsageError(`${path} can't be written to.`, { cause });
  }
  let last: Promise<unknown> = Promise.resolve();
  return {
    write(line: string) {
      last = last.then(() => file.appendFile(line));
      return last;
    },
    close: () => last.then(() => file.close()),
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new UsageError(`The folder ${path} can't be made.`, { cause });
  }
}

function describeProgress(table: ResultTable): string {
  return `${table.count()} files: ${table.count('sealed')} sealed, ${table.count('refused')} refused, ${table.count('failed')} failed`;
}
