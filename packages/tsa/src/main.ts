import { randomUUID } from 'node:crypto';
import { AuditLog, findLastAuditEvent, type JsonObject } from '@sigillum/audit';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import {
  assertNoRest,
  assertTlsFiles,
  createLogger,
  createMetrics,
  loadConfig,
  readSecretFile,
  runMain,
  type TlsPaths,
  type TlsWatch,
} from '@sigillum/service-kit';
import { SignerClient } from '@sigillum/signer-rpc';
import { openClock } from './clock/open-clock.ts';
import { type TsaConfig, tsaConfigSchema } from './config.ts';
import { PublicAdmission } from './http/admission.ts';
import { ClientKeys } from './http/client-keys.ts';
import { listTlsPaths, openTls, toServeTls } from './open-tls.ts';
import { reportHead } from './report-head.ts';
import { startTsa } from './start-tsa.ts';
import { maxBatchesInFlight } from './token/issuing-queue.ts';
import { SigningWindow } from './token/signing-window.ts';
import { createTsaMetrics, type TsaMetrics } from './tsa-metrics.ts';
import { openConfiguredUnits } from './unit/open-configured-units.ts';
import type { UnitRotation } from './unit/unit-rotation.ts';
import { SignerWatch } from './unit/watch-signer.ts';

/** Time for the answers that say why there is no time-stamp. */
const lastAnswersMs = 500;

const dayMs = 86_400_000;

runMain(
  async (args) => {
    assertNoRest(args);
    const config = loadConfig(args.configPath, tsaConfigSchema);
    const now = (): Date => new Date();
    const clock = (): number => performance.now();
    const rotation = openConfiguredUnits(config);
    const admission = openAdmission(config.public);
    if (args.checkConfig) {
      const { signer, listeners } = listTlsPaths(config);
      assertTlsFiles([signer, ...listeners.values()], now());
      assertSomeUnitLeft(rotation, now());
      return undefined;
    }

    const logger = createLogger({ service: 'tsa', instance: config.instance });
    const metrics = createMetrics({ service: 'tsa' });
    const tls = openTls(config, logger, metrics);
    const tlsWatches = [tls.signer, ...tls.listeners.values()];
    const signer = new SignerClient({ url: config.signer.url, ...tls.signer.texts });
    const audit = await AuditLog.open({
      directory: config.audit.directory,
      chain: config.instance,
      onFailure: (error) => {
        logger.error('the audit log can not be written; ending, to be started again', { error });
        setTimeout(() => process.exit(1), lastAnswersMs);
      },
    });
    const tsaMetrics: TsaMetrics = createTsaMetrics(metrics.registry, {
      boundMs: () => (watch.findFault() === undefined ? watch.assess(now()).boundMs : undefined),
      units: () => describeUnits(rotation, now()),
    });
    const watch = openClock(
      config,
      { now: () => Date.now(), monotonic: clock },
      {
        logger,
        onChange: (fault, bound) => {
          const boundUs = Math.ceil((bound?.boundMs ?? 0) * 1000);
          const state: JsonObject = fault === undefined ? { bound_us: boundUs } : { fault };
          // A log that fails ends the service (onFailure); nobody else waits for this line.
          audit.append({ type: 'tsa.clock_changed', time: now().toISOString(), ...state }).catch(() => undefined);
        },
      },
      () => tsaMetrics,
    );
    watch.start();
    const window = new SigningWindow({ most: maxBatchesInFlight, now: clock });
    const signerWatch = new SignerWatch({
      signer,
      rotation,
      timeoutMs: config.limits.sign_timeout_ms,
      now,
      logger,
      metrics: tsaMetrics,
    });
    const tsa = await startTsa({
      listen: {
        public: openListener(config.public, tls.listeners.get('public')),
        seals: openListener(config.seals, tls.listeners.get('seals')),
        internal: config.internal,
      },
      rotation,
      policy: config.policy,
      watch,
      admission,
      trustedProxies: config.public.trusted_proxies,
      connectionsPerAddress: config.public.connections_per_address,
      stateFile: config.state,
      lastRecorded: await findLastRecorded(config.audit.directory),
      queueLimits: { public: config.limits.public_queue, seals: config.limits.seals_queue },
      sign: (unit, digests) => {
        const call = {
          keyId: unit.keyId,
          algorithm: unit.algorithm,
          digests: digests.map((digest) => ({ digest, context: { purpose_detail: 'RFC 3161 time-stamp' } })),
        };
        const until = clock() + config.limits.sign_timeout_ms;
        return window.run((timeoutMs) => signer.signDigests({ requestId: randomUUID(), timeoutMs, ...call }), until);
      },
      describeSigner: () => signerWatch.describe(),
      audit,
      logger,
      metrics,
      tsaMetrics,
      now,
    }).catch((error: unknown) => {
      throw toFinal(error);
    });
    signerWatch.start();
    const stopReport = reportHead(audit, logger, metrics);
    tls.signer.start((texts) => signer.replaceTls(texts));
    for (const [name, files] of tls.listeners) files.start((texts) => tsa.replaceTls(name, toServeTls(texts)));
    logger.info('listening', { ...tsa.ports });
    return {
      reload: () => {
        for (const files of tlsWatches) files.look();
      },
      stop: async () => {
        for (const files of tlsWatches) files.stop();
        signerWatch.stop();
        await tsa.stop();
        await watch.stop();
        await audit.close();
        stopReport();
        signer.close();
      },
    };
  },
  { takesReload: true },
);

/** A state that a person has to look at ends the process as a wrong configuration does: starting again helps nobody. */
function toFinal(error: unknown): unknown {
  if (!isSigillumError(error, 'tsa_state_damaged')) return error;
  return new SigillumError('config_invalid', error.message, { cause: error });
}

/** The genTime of the last token in the log: lines are in the order of genTimes. */
async function findLastRecorded(directory: string): Promise<Date | undefined> {
  const event = await findLastAuditEvent({ directory, isWanted: ({ type }) => type === 'tsa.time_stamped' });
  const genTime = event?.['gen_time'];
  const time = new Date(typeof genTime === 'string' ? genTime : Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function openAdmission({ clients, rates }: TsaConfig['public']): PublicAdmission {
  const secrets = clients.map(({ name, secret_file }) => ({
    name,
    secrets: readSecretFile(secret_file)
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  }));
  return new PublicAdmission(clients.length === 0 ? undefined : new ClientKeys(secrets), {
    perAddress: rates.per_address,
    perClient: rates.per_client,
    failures: rates.failures,
  });
}

function openListener({ host, port }: { host: string; port: number }, files: TlsWatch<TlsPaths> | undefined) {
  return { host, port, ...(files && { tls: toServeTls(files.texts) }) };
}

/** Of `--check-config` alone: a running service says it with its readiness, and a clock set wrong must not end it. */
function assertSomeUnitLeft(rotation: UnitRotation, now: Date): void {
  if (rotation.units.some((unit) => now < unit.ends)) return;
  throw new SigillumError('config_invalid', `No time-stamp unit may sign any more: ${rotation.explain(now)}.`);
}

function describeUnits(rotation: UnitRotation, now: Date) {
  const active = rotation.find(now);
  return rotation.units.map((unit) => ({
    name: unit.name,
    remainingDays: Math.max(0, (unit.ends.getTime() - now.getTime()) / dayMs),
    isActive: unit === active,
  }));
}
