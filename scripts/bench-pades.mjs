/** `npm run bench:pades`: what the PDF engine costs beside its peers; see test/bench/README.md. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { bootstrap, nodeBinary, root } from './bootstrap.mjs';

const conditions = '--conditions=source';

if (process.execArgv.includes(conditions)) {
  await import('../test/bench/pades/main.ts');
} else {
  if (!existsSync(nodeBinary())) await bootstrap();
  const args = [conditions, import.meta.filename, ...process.argv.slice(2)];
  process.exitCode = spawnSync(nodeBinary(), args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}
