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
};

/**
 * What is measured takes at least so much: the clock counts in hundredths of a second, and a run's warming up and its
 * garbage collections differ by some tenths of one.
 */
const leastCpuMs = 1_500;
/** Documents of the very first run, and at most so many more than that each time it turns out too short. */
const [firstCount, mostGrowth] = [4, 16];

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
    { name: 'read + SHA-256 + write', command: [...node, join(here, 'floor.ts')], more: [] },
    { name: 'Sigillum, B-T', command: [...node, join(here, 'ours.ts')], more: [] },
    { name: 'pdf-lib 1.17.1', command: [...node, join(here, 'pdf-lib-prepare.ts')], more: [] },
    {
      name: '@cantoo/pdf-lib 2.11.1',
      command: [...node, join(here, 'pdf-lib-prepare.ts')],
      more: ['--cantoo'],
    },
    { name: 'pyHanko 0.38.0', command: [python, join(here, 'pyhanko_prepare.py')], more: [] },
    { name: 'EU DSS 6.4 (PDFBox)', command: java, more: [certificate] },
  ];
}

/** CPU milliseconds of a contender for a file; the counts that it takes are found once and kept for later rounds. */
export class Measurement {
  readonly #counts = new Map<string, number>();
  readonly #folder: string;

  /** @param folder where the output goes */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * CPU milliseconds per document of a process that has started and warmed up, user and system, all its threads: the
   * difference between a run with so many documents and one with twice as many, which is at least {@link leastCpuMs}.
   */
  measure(contender: Contender, file: BenchFile): number {
    const key = `${contender.name}\n${file.name}`;
    let count = this.#counts.get(key) ?? firstCount;
    let single = run(contender, file, count, this.#folder);
    for (;;) {
      const double = run(contender, file, 2 * count, this.#folder);
      const spent = double - single;
      this.#counts.set(key, count);
      // a little less is no reason to do it again: the next round would find the same
      if (spent >= leastCpuMs * 0.8) return spent / count;
      const growth = Math.max(2, Math.min(mostGrowth, leastCpuMs / Math.max(spent, 1)));
      count = Math.ceil(count * growth);
      single = growth === 2 ? double : run(contender, file, count, this.#folder);
    }
  }
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
