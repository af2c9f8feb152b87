/** `npm run check`: types, lint, format, imports and unused code. Each step always runs, so that one run shows everything. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ensureDependencies, nodeBinary } from './bootstrap.mjs';

if (!existsSync('node_modules')) await ensureDependencies();
const steps = [
  ['build', ['node_modules/typescript/bin/tsc', '-b']],
  ['types of tests', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json']],
  ['lint', ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', 'packages', 'hsm', 'scripts', 'test']],
  ['format', ['node_modules/@biomejs/biome/bin/biome', 'format', '.']],
  ['imports', ['scripts/check-imports.mjs']],
  ['unused code', ['node_modules/knip/bin/knip.js']],
];

const failed = [];
for (const [name, command] of steps) {
  const { status } = spawnSync(nodeBinary(), command, { stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
