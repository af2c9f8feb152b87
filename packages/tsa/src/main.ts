import { randomUUID } from 'node:crypto';
import { AuditLog } from '@sigillum/audit';
import {
  assertNoRest,
  createLogger,
  createMetrics,
  loadConfig,
  readSecretFile,
  readTextFile,
  runMain,
} from '@sigillum/service-kit';
import { SignerClient } from '@sigillum/signer-rpc';
import { tsaConfigSchema } from './config.ts';
import { openConfiguredUnit } from './open-configured-unit.ts';
import { startTsa } from './start-tsa.ts';

/** Time for the answers that say why there is no time-stamp. */
const lastAnswersMs = 500;

runMain(async (args) => {
  assertNoRest(args);
  const config = loadConfig(args.configPath, tsaConfigSchema);
  const now = (): Date => new Date();
  const unit = openConfiguredUnit(config.tsu, now());
  if (args.checkConfig) return undefined;

  const logger = createLogger({ service: 'tsa', instance: config.instance });
  const metrics = createMetrics({ service: 'tsa' });
  const signer = new SignerClient({
    url: config.signer.url,
    certificate: readTextFile(config.signer.certificate),
    key: readSecretFile(config.signer.key).toString('utf8'),
    roots: readTextFile(config.signer.roots),
  });
  const audit = await AuditLog.open({
    directory: config.audit.directory,
    chain: config.instance,
    onFailure: (error) => {
      logger.error('the audit log can not be written; ending, to be started again', { error });
      setTimeout(() => process.exit(1), lastAnswersMs);
    },
  });
  const tsa = await startTsa({
    listen: config,
    unit,
    policy: config.policy,
    accuracyMs: config.accuracy_ms,
    stateFile: config.state,
    queueLimits: { public: config.limits.public_queue, seals: config.limits.seals_queue },
    sign: (digests) =>
      signer.signDigests({
        requestId: randomUUID(),
        timeoutMs: config.limits.sign_timeout_ms,
        keyId: unit.keyId,
        algorithm: unit.algorithm,
        digests: digests.map((digest) => ({ digest, context: { purpose_detail: 'RFC 3161 time-stamp' } })),
      }),
    isSignerReady: () =>
      signer.health().then(
        ({ purposes }) => purposes.timestamp === 'ok',
        () => false,
      ),
    audit,
    logger,
    metrics,
    now,
  });
  logger.info('listening', { ...tsa.ports });
  return {
    stop: async () => {
      await tsa.stop();
      await audit.close();
      signer.close();
    },
  };
});
