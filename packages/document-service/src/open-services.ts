import { readFileSync } from 'node:fs';
import { decodePem, KnownCertificates } from '@sigillum/pki';
import { RevocationCollector, TimeStampRequester, type TimeStampServer } from '@sigillum/pki-sources';
import {
  createTlsMetrics,
  type Logger,
  type Metrics,
  readSecretFile,
  readTextFile,
  TlsWatch,
} from '@sigillum/service-kit';
import { SignerClient } from '@sigillum/signer-rpc';
import { createUuid, openBlobStore, openDatabase } from '@sigillum/store';
import type { Config } from './config.ts';
import { HealthChecks } from './health/health-checks.ts';
import { createRateLimiter } from './http/rate-limiter.ts';
import { JudgingPool } from './judging/judging-pool.ts';
import { openFonts } from './open-fonts.ts';
import { CrlFiles } from './sealing/crl-files.ts';
import { Places } from './sealing/places.ts';
import { createSealMetrics } from './sealing/seal-metrics.ts';
import { prepareSpool } from './sealing/spool-document.ts';
import { createPausingStepGate, openStepGate } from './sealing/step-gate.ts';
import type { Services } from './services.ts';

/** The services of a process, and how to let go of what they hold. */
export type OpenServices = {
  readonly services: Services;
  /** Looks for renewed TLS files now, and not only every few seconds. */
  rereadTls(): void;
  close(): Promise<void>;
};

/** Opens everything the configuration names. Nothing is asked over the network yet. */
export async function openServices(config: Config, logger: Logger, metrics: Metrics): Promise<OpenServices> {
  const now = (): Date => new Date();
  const places = new Places(config.limits.concurrent_seals, config.limits.concurrent_seals_per_key);
  await prepareSpool(config.spool);
  const blobs = await openBlobStore(config.blobs);
  const db = openDatabase({
    url: config.database.url,
    maxConnections: config.limits.database_connections,
    onIdleError: (error) => logger.warn('a database connection broke', { error }),
    ...(config.database.password_file === undefined ? {} : { passwordFile: config.database.password_file }),
  });
  const { url, ...paths } = config.signer;
  const tls = new TlsWatch({ name: 'signer', paths, logger, metrics: createTlsMetrics(metrics.registry) });
  const signer = new SignerClient({ url, ...tls.texts });
  tls.start((texts) => signer.replaceTls(texts));
  const timeStamps = new TimeStampRequester({
    sources: config.tsas.map(toTimeStampServer),
    timeoutMs: config.limits.time_stamp_ms,
    onFailure: ({ name }, error) => logger.warn('a time-stamp authority failed', { tsa: name, error }),
  });
  const revocation = config.revocation && openRevocation(config.revocation, logger);
  const judging = new JudgingPool();
  const services: Services = {
    instance: config.instance,
    process: createUuid(),
    atWork: new Set(),
    publicUrl: config.public_url,
    limits: config.limits,
    spoolDirectory: config.spool,
    pkiDirectory: config.pki_directory,
    pepper: readSecretFile(config.api_key_pepper_file),
    db,
    blobs,
    signer,
    timeStamps,
    revocationLists: new CrlFiles(config.crls, logger),
    revocation,
    freshness: config.revocation?.after_time_stamp === true ? 'after-time-stamp' : undefined,
    roots: config.revocation === undefined ? [] : readRoots(config.revocation.roots),
    fonts: openFonts(config.fonts),
    rateLimiter: createRateLimiter(config.rate_limit, db),
    knownCertificates: new KnownCertificates(),
    judging,
    places,
    stepGate:
      config.test_pause === undefined
        ? openStepGate
        : createPausingStepGate(config.test_pause.directory, config.test_pause.step),
    health: new HealthChecks({ db, signer, timeStamps, timeStampUrls: config.tsas.map(({ url }) => url), now }),
    metrics: createSealMetrics(metrics.registry, places, timeStamps),
    logger,
    now,
  };
  return {
    services,
    rereadTls: () => tls.look(),
    async close() {
      tls.stop();
      signer.close();
      timeStamps.close();
      await judging.close();
      await db.destroy();
    },
  };
}

function toTimeStampServer({ name, url, roots, policy, ...more }: Config['tsas'][number]): TimeStampServer {
  return {
    name,
    url,
    roots: readRoots(roots),
    policy,
    timeoutMs: more.timeout_ms,
    authorization: more.authorization && readAuthorization(more.authorization),
    tlsRoots: more.tls_roots?.map(readTextFile),
  };
}

function readAuthorization(
  authorization: NonNullable<Config['tsas'][number]['authorization']>,
): NonNullable<TimeStampServer['authorization']> {
  if (authorization.kind === 'header') {
    return { kind: 'header', header: authorization.header, value: readSecretFile(authorization.value_file) };
  }
  return { kind: 'basic', user: authorization.user, password: readSecretFile(authorization.password_file) };
}

function openRevocation(config: NonNullable<Config['revocation']>, logger: Logger): RevocationCollector {
  return new RevocationCollector({
    roots: readRoots(config.roots),
    allowAddresses: config.allow_addresses,
    ports: config.ports,
    maxAgeMs: config.max_age_s * 1000,
    ...(config.max_issue_age_s === undefined ? {} : { maxIssueAgeMs: config.max_issue_age_s * 1000 }),
    timeoutMs: config.timeout_ms,
    totalTimeoutMs: config.total_timeout_ms,
    ...(config.proxy === undefined ? {} : { proxy: config.proxy }),
    onExchange: ({ kind, url, error }) => {
      if (error !== undefined) logger.warn('revocation data could not be fetched', { kind, url, error });
    },
  });
}

/** Trust anchors in PEM files, DER. */
function readRoots(paths: readonly string[]): readonly Uint8Array[] {
  return paths.flatMap((path) => decodePem(readFileSync(path, 'utf8')));
}
