import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A throw-away SoftHSM token with one P-256 key: for the raw rate, and for the others to seal with. */
export type BenchToken = {
  readonly module: string;
  readonly folder: string;
  /** The environment that shows SoftHSM this token and no other. */
  readonly environment: NodeJS.ProcessEnv;
  remove(): void;
};

/** Makes it with `make_token.py`; `python` is that of the bench's own virtual environment. */
export function makeBenchToken(python: string): BenchToken {
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-bench-token-'));
  mkdirSync(join(folder, 'tokens'));
  writeFileSync(
    join(folder, 'softhsm2.conf'),
    `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  writeFileSync(join(folder, 'pin'), String(randomInt(1e8, 1e9)), { mode: 0o600 });
  const environment = { ...process.env, SOFTHSM2_CONF: join(folder, 'softhsm2.conf') };
  const module = findSoftHsm();
  execFileSync(python, [join(import.meta.dirname, 'make_token.py'), module, folder], { env: environment });
  return { module, folder, environment, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function findSoftHsm(): string {
  const multiarch = readdirSync('/usr/lib')
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => `/usr/lib/${name}/softhsm`);
  const found = ['/usr/lib/softhsm', '/usr/lib64/softhsm', '/usr/lib64/pkcs11', ...multiarch]
    .map((folder) => join(folder, 'libsofthsm2.so'))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error('SoftHSM is not installed');
  return found;
}
