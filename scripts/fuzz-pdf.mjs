/** `npm run fuzz:pdf -- --minutes N [--seed N]`: the reader of PDFs against inputs that reach ever new code of it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { bootstrap, nodeBinary, root } from './bootstrap.mjs';

const conditions = '--conditions=source';

if (process.execArgv.includes(conditions)) {
  await import('../packages/pdf/fuzz/main.ts');
} else {
  if (!existsSync(nodeBinary())) await bootstrap();
  const args = [conditions, import.meta.filename, ...process.argv.slice(2)];
  process.exitCode = spawnSync(nodeBinary(), args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}
