import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBenchFiles } from './bench-files.ts';
import { Measurement, measureCmsEncoding, prepareContenders } from './contenders.ts';
import { type PadesResult, renderPadesTable } from './pades-result.ts';

/** Odd, so that there is a middle one; `--rounds=1` for a glance. */
const rounds = Number(
  process.argv.find((argument) => argument.startsWith('--rounds='))?.slice('--rounds='.length) ?? 3,
);

/** In memory where there is such a place: what a disk makes wait for it chills the caches of whom it is measured for. */
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const folder = mkdtempSync(join(place, 'sigillum-bench-pades-'));
try {
  const files = await makeBenchFiles(folder);
  const contenders = await prepareContenders(folder);
  const measurement = new Measurement(folder);
  const samples = new Map<string, number[]>();
  // Turns interleaved: what disturbs the machine for a minute disturbs all of them.
  for (let round = 1; round <= rounds; round += 1) {
    for (const file of files) {
      for (const contender of contenders) {
        process.stderr.write(`bench: round ${round} of ${rounds}, ${file.name}, ${contender.name}\n`);
        const key = `${contender.name}\n${file.name}`;
        samples.set(key, [...(samples.get(key) ?? []), measurement.measure(contender, file)]);
      }
    }
  }
  const [small] = files;
  if (small === undefined) throw new Error('there is nothing to seal');
  const result: PadesResult = {
    made: new Date().toISOString(),
    rounds,
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      kernel: release(),
      node: process.version,
    },
    files: files.map(({ name, size }) => ({ name, size })),
    costs: contenders.map(({ name }) => ({
      contender: name,
      cpuMs: Object.fromEntries(files.map((file) => [file.name, sorted(samples.get(`${name}\n${file.name}`))])),
    })),
    cmsEncodingCpuMs: measureCmsEncoding(small, folder),
  };
  const results = join(import.meta.dirname, '..', 'results');
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, 'pades.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`${renderPadesTable(result)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function sorted(values: readonly number[] = []): readonly number[] {
  return values.toSorted((left, right) => left - right);
}
