/** `npm run bench:tsa [-- --quick | --profile=p256:300]`: what a time-stamp costs, and how many there are in a second; see test/bench/README.md. */
import { workInPinnedNode } from './bootstrap.mjs';

await workInPinnedNode(import.meta.filename, async () => {
  const profile = process.argv.find((argument) => argument.startsWith('--profile='))?.slice('--profile='.length);
  if (profile === undefined) await import('../test/bench/tsa/main.ts');
  else await (await import('../test/bench/tsa/profile.ts')).profileTsa(profile);
});
