import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SoftwarePki } from '@sigillum/testing';
import { ensurePython, prepareRivals } from '../rivals.ts';
import type { BenchFile } from './bench-files.ts';

/** A program that treats FILE COUNT times and leaves its last OUTPUT. */
export type Contender = {
  readonly name: string;
  readonly command: readonly string[];
  /** What comes after FILE COUNT OUTPUT. */
  readonly more: readonly string[];
  /** Documents of its first run for each file; the second has twice as many. */
  count(file: BenchFile): number;
};

/** Runs long enough for clocks that count in hundredths of a second, short enough for a bench of minutes. */
const target = { fast: 1_500, slow: 150, jvm: 150 };

/** Ours, the floor and the peers, all started the same way. */
export async function prepareContenders(folder: string): Promise<readonly Contender[]> {
  const python = ensurePython();
  prepareRivals(python);
  const certificate = join(folder, 'certificate.der');
  mkdirSync(folder, { recursive: true });
  writeFileSync(certificate, (await SoftwarePki.make()).leaf.certificate);
  const here = import.meta.dirname;
  const node = [process.execPath, '--conditions=source', '--no-warnings'];
  const jars = join(here, '..', 'dss-seal', 'target');
  const java = ['java', '-cp', `${join(jars, 'dss-seal.jar')}:${join(jars, 'lib')}/*`, 'sigillum.bench.Prepare'];
  return [
    { name: 'read + SHA-256 + write', command: [...node, join(here, 'floor.ts')], more: [], count: per(target.fast) },
    { name: 'Sigillum, B-T', command: [...node, join(here, 'ours.ts')], more: [], count: per(target.fast) },
    { name: 'pdf-lib 1.17.1', command: [...node, join(here, 'pdf-lib-prepare.ts')], more: [], count: per(target.slow) },
    {
      name: '@cantoo/pdf-lib 2.11.1',
      command: [...node, join(here, 'pdf-lib-prepare.ts')],
      more: ['--cantoo'],
      count: per(target.slow),
    },
    { name: 'pyHanko 0.38.0', command: [python, join(here, 'pyhanko_prepare.py')], more: [], count: per(target.slow) },
    { name: 'EU DSS 6.4 (PDFBox)', command: java, more: [certificate], count: per(target.jvm) },
  ];
}

/** Fewer of the large files: they cost more each. */
function per(count: number): (file: BenchFile) => number {
  return ({ size }) =>
    size > 20_000_000 ? Math.max(3, Math.ceil(count / 60)) : size > 2_000_000 ? Math.ceil(count / 15) : count;
}

/**
 * CPU milliseconds per document of a process that has started and warmed up, user and system, all its threads: the
 * difference between a run with `count` documents and one with twice as many.
 */
export function measureContender(contender: Contender, file: BenchFile, folder: string): number {
  const count = contender.count(file);
  const single = run(contender, file, count, folder);
  return (run(contender, file, 2 * count, folder) - single) / count;
}

function run({ name, command, more }: Contender, file: BenchFile, count: number, folder: string): number {
  const output = join(folder, 'out.pdf');
  rmSync(output, { force: true });
  const args = [...command, file.path, String(count), output, ...more];
  const times = execFileSync('/bin/sh', ['-c', '"$@" >/dev/null || exit 1; times', 'sh', ...args], {
    encoding: 'utf8',
  });
  if (statSync(output).size < file.size) throw new Error(`${name} has not written its output`);
  // POSIX `times`: the second line is user and system time of the children.
  let ms = 0;
  for (const [, minutes, seconds] of (times.trim().split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)) {
    ms += (Number(minutes) * 60 + Number(seconds)) * 1000;
  }
  return ms;
}

/** CPU milliseconds that ours spends on CMS encoding for each document: attributes, CMS and its place. */
export function measureCmsEncoding(file: BenchFile, folder: string): number {
  const script = join(import.meta.dirname, 'ours.ts');
  const args = ['--conditions=source', '--no-warnings', script, file.path, '5000', join(folder, 'out.pdf'), '--cms'];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}
