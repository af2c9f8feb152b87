/** `npm run bench:signer [-- --quick | --profile=p256:100:16]`: what the hash-signer makes of an HSM; see test/bench/README.md. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { bootstrap, nodeBinary, root } from './bootstrap.mjs';

const conditions = '--conditions=source';

if (process.execArgv.includes(conditions)) {
  const profile = process.argv.find((argument) => argument.startsWith('--profile='))?.slice('--profile='.length);
  if (profile === undefined) await import('../test/bench/signer/main.ts');
  else await (await import('../test/bench/signer/profile.ts')).profileDaemon(profile);
} else {
  if (!existsSync(nodeBinary())) await bootstrap();
  const args = [conditions, import.meta.filename, ...process.argv.slice(2)];
  process.exitCode = spawnSync(nodeBinary(), args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}
