import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judgesDirectory } from './find-judges.ts';
import { runProgram } from './run-program.ts';

/** Sixteen keys and thirty signatures in Python; measured 4 s. */
const limitMs = 120_000;

/**
 * Files that pyHanko sealed, and broken ones made of them, with a PKI of their own (test/judges/pyhanko/make_samples.py):
 * `root.pem`, `other-root.pem`, `crls.pem`, `crls-revoked.pem`, `crls-without-tsa.pem`, `good-p256.pdf` and so on.
 * Needs the judge pyhanko. Valid for days, so it is made anew for each run; `remove` it afterwards.
 */
export async function makeJudgeSamples(): Promise<{ path(name: string): string; remove(): void }> {
  const directory = mkdtempSync(join(tmpdir(), 'judge-samples-'));
  const script = join(judgesDirectory, 'pyhanko', 'make_samples.py');
  const python = join(judgesDirectory, '.venv', 'bin', 'python');
  const options = { limitMs, searchPath: '/usr/bin:/bin', home: directory };
  const { exitCode, errors } = await runProgram(python, [script, directory], options);
  if (exitCode !== 0) throw new Error(`The samples could not be made: ${errors}`);
  return {
    path: (name) => join(directory, name),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
