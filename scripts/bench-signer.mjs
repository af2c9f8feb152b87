/** `npm run bench:signer [-- --quick | --profile=p256:100:16]`: what the hash-signer makes of an HSM; see test/bench/README.md. */
import { workInPinnedNode } from './bootstrap.mjs';

await workInPinnedNode(import.meta.filename, async () => {
  const profile = process.argv.find((argument) => argument.startsWith('--profile='))?.slice('--profile='.length);
  if (profile === undefined) await import('../test/bench/signer/main.ts');
  else await (await import('../test/bench/signer/profile.ts')).profileDaemon(profile);
});
