import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchDocument } from './bench-documents.ts';
import type { BenchToken } from './bench-token.ts';
import { readTreeCpuMs } from './process-cpu.ts';

/** What a library that a user would build with costs for a document, B-T, in one warm process. */
export type RivalCost = {
  readonly rival: string;
  readonly document: string;
  readonly count: number;
  /** Milliseconds of CPU per document, user and system of its process alone; start-up and warm-up subtracted. */
  readonly cpuMs: number;
  /** The same of each repetition, sorted: how far they lie apart says how much the machine was disturbed. */
  readonly allCpuMs: readonly number[];
  /** CPU of the home's tsa and hash-signer per document, which worked for it meanwhile. */
  readonly timeStampCpuMs: number;
};

const here = import.meta.dirname;

/** How to start one of them. */
export type Rival = { readonly name: string; readonly command: readonly string[] };

/** Python of the bench's virtual environment, made when it is not there. */
export function ensurePython(): string {
  const folder = join(here, '.venv');
  const python = join(folder, 'bin', 'python');
  const requirements = join(here, 'requirements.txt');
  const stamp = join(folder, 'installed');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  execFileSync('python3', ['-m', 'venv', '--clear', folder], { stdio: 'inherit' });
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  execFileSync(python, install, { stdio: 'inherit' });
  writeFileSync(stamp, wanted);
  return python;
}

/** The two that are compared with; builds the Java one when its sources are newer than its jar. */
export function prepareRivals(python: string): readonly Rival[] {
  const project = join(here, 'dss-seal');
  const jar = join(project, 'target', 'dss-seal.jar');
  const sources = ['pom.xml', 'src/main/java/sigillum/bench/Main.java'].map((path) => join(project, path));
  if (!existsSync(jar) || sources.some((path) => statSync(path).mtimeMs > statSync(jar).mtimeMs)) {
    execFileSync('mvn', ['-q', '-B', '-ntp', 'package'], { cwd: project, stdio: 'inherit' });
  }
  return [
    {
      name: 'EU DSS 6.4',
      command: ['java', '-cp', `${jar}:${join(project, 'target', 'lib')}/*`, 'sigillum.bench.Main'],
    },
    { name: 'pyHanko 0.38.0', command: [python, join(here, 'pyhanko_seal.py')] },
  ];
}

/** Odd, so that there is a middle one. */
const repetitions = 3;

/**
 * Two runs, of `count` and of 2 × `count` documents: their difference is what `count` documents cost in a process that
 * has started and warmed up. Done three times; the middle one counts, because others may use the machine too.
 */
export function measureRival(
  rival: Rival,
  input: { readonly token: BenchToken; readonly tsaUrl: string; readonly tsaPids: readonly number[] },
  document: BenchDocument,
  count: number,
): RivalCost {
  const tsaCpu = (): number => input.tsaPids.reduce((sum, pid) => sum + readTreeCpuMs(pid), 0);
  const before = tsaCpu();
  const perDocument = Array.from({ length: repetitions }, () => {
    const single = run(rival, input, document, count);
    return (run(rival, input, document, 2 * count) - single) / count;
  }).toSorted((left, right) => left - right);
  return {
    rival: rival.name,
    document: document.name,
    count,
    cpuMs: perDocument[Math.floor(repetitions / 2)] ?? Number.NaN,
    allCpuMs: perDocument,
    timeStampCpuMs: (tsaCpu() - before) / (repetitions * 3 * count),
  };
}

/** @returns milliseconds of CPU of the whole process, from the shell that waited for it (POSIX `times`, second line) */
function run(
  { name, command }: Rival,
  { token, tsaUrl }: { readonly token: BenchToken; readonly tsaUrl: string },
  document: BenchDocument,
  count: number,
): number {
  const file = join(token.folder, 'in.pdf');
  const output = join(token.folder, 'out.pdf');
  writeFileSync(file, document.bytes);
  rmSync(output, { force: true });
  const args = [...command, token.module, token.folder, tsaUrl, file, String(count), output];
  const times = execFileSync('/bin/sh', ['-c', '"$@" >/dev/null || exit 1; times', 'sh', ...args], {
    env: token.environment,
    encoding: 'utf8',
  });
  if (statSync(output).size <= document.bytes.length) throw new Error(`${name} has not sealed`);
  const spent = times.trim().split('\n')[1] ?? '';
  let ms = 0;
  for (const [, minutes, seconds] of spent.matchAll(/(\d+)m([\d.]+)s/g)) {
    ms += (Number(minutes) * 60 + Number(seconds)) * 1000;
  }
  return ms;
}
