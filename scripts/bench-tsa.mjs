/** `npm run bench:tsa [-- --quick | --profile=p256:300]`: what a time-stamp costs, and how many there are in a second; see test/bench/README.md. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { bootstrap, nodeBinary, root } from './bootstrap.mjs';

const conditions = '--conditions=source';

if (process.execArgv.includes(conditions)) {
  const profile = process.argv.find((argument) => argument.startsWith('--profile='))?.slice('--profile='.length);
  if (profile === undefined) await import('../test/bench/tsa/main.ts');
  else await (await import('../test/bench/tsa/profile.ts')).profileTsa(profile);
} else {
  if (!existsSync(nodeBinary())) await bootstrap();
  const args = [conditions, import.meta.filename, ...process.argv.slice(2)];
  process.exitCode = spawnSync(nodeBinary(), args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}
