import { assertNoRest, loadConfig, runMain } from '@sigillum/service-kit';
import { configSchema } from './config.ts';
import { EXIT_CONFIG } from './signer-messages.ts';
import { startHashSigner } from './start-hash-signer.ts';

runMain(async (args) => {
  assertNoRest(args);
  const config = loadConfig(args.configPath, configSchema);
  if (args.checkConfig) return undefined;
  // Every PIN was rejected: only a person with the right one can help.
  return await startHashSigner(config, { onUseless: () => process.exit(EXIT_CONFIG) });
});
