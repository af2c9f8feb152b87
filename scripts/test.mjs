/** `npm test`: prepares the checkout and the outside judges, then runs jest; further arguments go to jest. */
import { join } from 'node:path';
import { bootstrap, continueInPinnedNode, hasProgram, installSystemPackages, root } from './bootstrap.mjs';

/** Programs that check our files from outside, the package each comes in, and what can't be checked without it. */
const judges = [
  { program: 'openssl', from: 'openssl', checks: 'CMS and time-stamps by OpenSSL' },
  { program: 'qpdf', from: 'qpdf', checks: 'PDF structure by qpdf' },
  { program: 'certutil', from: 'libnss3-tools', checks: 'signatures by pdfsig, which is told the root by it' },
  { program: 'curl', from: 'curl', checks: 'the lines that are to be pasted' },
  { program: 'pdfsig', from: 'poppler-utils', checks: 'signatures by pdfsig, pictures by pdftoppm' },
];

await bootstrap();
const missing = () => judges.filter(({ program }) => !hasProgram(program));
if (missing().length > 0) {
  const failure = installSystemPackages(missing().map(({ from }) => from));
  if (failure !== undefined) console.log(failure);
  for (const { program, from, checks } of missing()) {
    console.log(`Skipped, because ${program} (package ${from}) is missing: ${checks}.`);
  }
}
continueInPinnedNode([
  '--conditions=source',
  '--experimental-vm-modules',
  '--no-warnings=ExperimentalWarning',
  join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
  ...process.argv.slice(2),
]);
