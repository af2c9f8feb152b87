/** `npm run judge -- FILES`: what validators that this project didn't write say about PDF files. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { bootstrap, nodeBinary, root } from './bootstrap.mjs';

if (Number(process.versions.node.split('.')[0]) >= 24) {
  const { runJudgeCommand } = await import('../packages/testing/src/judges/main.ts');
  process.exitCode = await runJudgeCommand(process.argv.slice(2), process.env, root);
} else {
  if (!existsSync(nodeBinary())) await bootstrap();
  const args = ['--conditions=source', import.meta.filename, ...process.argv.slice(2)];
  // npm changes into the checkout; the files' names are relative to where the person stands.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  process.exitCode = spawnSync(nodeBinary(), args, { cwd, stdio: 'inherit' }).status ?? 1;
}
