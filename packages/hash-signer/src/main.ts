import { assertNoRest, loadConfig, runMain } from '@sigillum/service-kit';
import { checkConfig } from './check-config.ts';
import { configSchema } from './config.ts';
import { forbidCoreDumps } from './forbid-core-dumps.ts';
import { EXIT_CONFIG } from './signer-messages.ts';
import { startHashSigner } from './start-hash-signer.ts';

/** Time for the answers that say why nothing is signed. */
const lastAnswersMs = 500;

runMain(
  async (args) => {
    assertNoRest(args);
    const readConfig = () => loadConfig(args.configPath, configSchema);
    const config = readConfig();
    if (args.checkConfig) return checkConfig(config);
    // Where util-linux is missing, whoever starts us has to do it (LimitCORE=0 in the unit).
    forbidCoreDumps();
    return await startHashSigner(config, {
      readConfig,
      // Every PIN was rejected: only a person with the right one can help.
      onUseless: () => process.exit(EXIT_CONFIG),
      onAuditFailed: () => setTimeout(() => process.exit(1), lastAnswersMs),
    });
  },
  { takesReload: true },
);
