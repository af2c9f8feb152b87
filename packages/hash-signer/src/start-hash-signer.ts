import { join } from 'node:path';
import { AuditLog, readAuditEvents } from '@sigillum/audit';
import { SigillumError } from '@sigillum/errors';
import {
  createLogger,
  createMetrics,
  loadConfig,
  type Logger,
  type ReadyReport,
  type RunningServer,
  serve,
  serveInternal,
} from '@sigillum/service-kit';
import type { Purpose } from '@sigillum/signer-rpc';
import { createStartedEvent } from './audit-event.ts';
import { AuditRecorder } from './audit-recorder.ts';
import { Authorisation } from './authorisation.ts';
import { Policy } from './client-policy.ts';
import type { Config, TokenConfig } from './config.ts';
import { createRpcApp } from './create-rpc-app.ts';
import { describeFatal } from './describe-fatal.ts';
import { KeyRegistry } from './key-registry.ts';
import { PendingWork } from './pending-work.ts';
import { PinLatch } from './pin-latch.ts';
import { Quarantine } from './quarantine.ts';
import { RateLimits } from './rate-limits.ts';
import { RefusedHandshakes } from './refused-handshakes.ts';
import { Reload } from './reload.ts';
import { loadServedKeys, type ServedKey } from './served-keys.ts';
import { DigestSigning } from './sign-digests.ts';
import { createSignerMetrics, exportAuditHead, type SignerMetrics } from './signer-metrics.ts';
import { readTls, TlsFiles } from './tls-files.ts';
import { chooseSizes } from './token-setup.ts';
import { TokenSigners } from './token-signers.ts';
import { vendorProfileSchema } from './vendor-profile.ts';

export type HashSignerEvents = {
  /** Every token has rejected its PIN while we ran: there is nothing left to do here. */
  readonly onUseless: () => void;
  /** The audit log can't be written: a new process opens it again, and signs when the disk takes it. */
  readonly onAuditFailed: () => void;
  /** For SIGHUP. @throws SigillumError `config_invalid` */
  readonly readConfig: () => Config;
};

/** A running daemon. */
export type RunningHashSigner = { stop(): Promise<void>; reload(): void };

/**
 * Starts the daemon: the log first, then the tokens, and the listener for clients last, so that a wrong manifest or
 * PIN is a failure to start and not one of the first request.
 * @throws SigillumError `config_invalid`, `audit_*`
 */
export async function startHashSigner(config: Config, events: HashSignerEvents): Promise<RunningHashSigner> {
  const logger = createLogger({ service: 'hash-signer', instance: config.instance });
  const metrics = createMetrics({ service: 'hash-signer' });
  const tokens = new Map<string, TokenSigners>();
  const signerMetrics = createSignerMetrics(metrics, () => sumQueueLengths(tokens.values()));
  const keys = loadServedKeys(config.manifests, config.tokens);
  const state = config.state ?? join(config.audit.directory, 'state');
  const quarantine = new Quarantine(state);
  const registry = new KeyRegistry(keys, quarantine);
  reportQuarantine(registry, signerMetrics, logger);
  const rates = new RateLimits(config.rates);
  const audit = await openAudit(config, logger, signerMetrics, events.onAuditFailed);
  exportAuditHead(metrics, () => audit.head);
  const recorder = new AuditRecorder({ audit, logger, metrics: signerMetrics });
  const servers: RunningServer[] = [];
  let tls: TlsFiles | undefined;
  let isStarted = false;
  const stop = async (): Promise<void> => {
    const [internal, rpc] = servers;
    tls?.stop();
    await rpc?.close(config.limits.drain_ms);
    await Promise.all(Array.from(tokens.values(), (token) => token.drain(config.limits.drain_ms)));
    await audit.close();
    // A later reader compares it with the files: a tail that was cut off shows.
    logger.info('audit log closed', describeHead(audit));
    await internal?.close(0);
  };
  try {
    await audit.append(createStartedEvent(keys.length, new Date()));
    await countDay(rates, config.audit.directory);
    const profile = config.pkcs11.profile ? loadConfig(config.pkcs11.profile, vendorProfileSchema) : undefined;
    if (profile?.tried === false) logger.warn('this vendor profile was never tried', { profile: profile.name });
    for (const token of config.tokens) {
      const setup = {
        token,
        ...chooseSizes(token, profile),
        pkcs11: config.pkcs11,
        profile,
        limits: config.limits,
        canary: config.canary,
        breaker: config.breaker,
        registry,
        latch: new PinLatch(state, token.serial, token.pin_file),
        logger,
        metrics: signerMetrics,
        onLatched: () => {
          if (isStarted && [...tokens.values()].every(({ isLatched }) => isLatched)) events.onUseless();
        },
      };
      tokens.set(token.serial, new TokenSigners(setup, getKeysOf(token, keys, logger)));
    }
    const isReady = (): ReadyReport => reportReady(recorder, tokens, registry, isStarted);
    servers.push(await serveInternal({ listen: config.internal, registry: metrics.registry, isReady }));
    await startTokens([...tokens.values()]);
    const { limits } = config;
    const pending = new PendingWork(limits.pending_per_client);
    const shared = { registry, tokens, logger };
    const signing = new DigestSigning({ ...shared, audit, recorder, rates, pending, limits, metrics: signerMetrics });
    const policy = new Policy(config.clients);
    const authorisation = new Authorisation(policy, limits);
    const app = createRpcApp({ ...shared, metrics, signerMetrics, policy, authorisation, signing, limits });
    const handshakes = new RefusedHandshakes({ logger, metrics: signerMetrics });
    const server = await serve(app, {
      ...config.listen,
      tls: readTls(config.tls),
      limits: {
        maxConnections: limits.max_connections,
        handshakeTimeoutMs: limits.handshake_ms,
        requestTimeoutMs: 30_000,
      },
      onSecureConnection: (socket) => authorisation.meet(socket),
      onRefusedHandshake: (error, socket) => handshakes.add(error, socket),
    });
    servers.push(server);
    tls = new TlsFiles(config.tls, { server, logger, metrics: signerMetrics });
    const { readConfig } = events;
    const parts = { readConfig, policy, rates, quarantine, tls, metrics: signerMetrics };
    const reload = new Reload(config, { ...shared, ...parts });
    isStarted = true;
    const ports = { port: server.port, internal_port: servers[0]?.port };
    logger.info('hash-signer ready', { ...ports, keys: keys.length, ...describeHead(audit) });
    return { stop, reload: () => void reload.run() };
  } catch (error) {
    await stop();
    throw error;
  }
}

function openAudit(config: Config, logger: Logger, metrics: SignerMetrics, onFailed: () => void): Promise<AuditLog> {
  return AuditLog.open({
    directory: config.audit.directory,
    chain: `hash-signer/${config.instance}`,
    segmentBytes: config.audit.segment_bytes,
    rotateDaily: true,
    onFailure: (error) => {
      metrics.auditFailed.set(1);
      logger.error('the audit log can not be written; nothing is signed; ending, to be started again', { error });
      onFailed();
    },
  });
}

/** The signatures of this UTC day, made by earlier processes of this instance. */
async function countDay(rates: RateLimits, directory: string): Promise<void> {
  if (!rates.hasDailyLimits) return;
  const since = new Date();
  since.setUTCHours(0, 0, 0, 0);
  for await (const event of readAuditEvents({ directory, since })) {
    const isSigned = event['outcome'] === 'signed' || event['type'] === 'hash_signer.signature_discarded';
    if (isSigned && typeof event['key_id'] === 'string') rates.countEarlier(event['key_id']);
  }
}

function reportQuarantine(registry: KeyRegistry, metrics: SignerMetrics, logger: Logger): void {
  metrics.quarantinedKeys.set(registry.quarantinedCount);
  for (const { keyId, name } of registry.list()) {
    if (registry.isQuarantined(keyId)) logger.error('this key is in quarantine', { key_id: keyId, name });
  }
}

function describeHead({ head }: AuditLog) {
  return { audit_sequence: head.sequence, audit_head: Buffer.from(head.hash).toString('hex') };
}

function sumQueueLengths(tokens: Iterable<TokenSigners>): ReadonlyMap<Purpose, number> {
  const sums = new Map<Purpose, number>();
  for (const token of tokens) {
    for (const [purpose, length] of token.queueLengths()) sums.set(purpose, (sums.get(purpose) ?? 0) + length);
  }
  return sums;
}

/** A token whose last key was taken out of use stays there without one: other tokens, and a reload, go on. */
function getKeysOf(token: TokenConfig, keys: readonly ServedKey[], logger: Logger): ServedKey[] {
  if (keys.length === 0) throw new SigillumError('config_invalid', 'No manifest names a key that is served.');
  const own = keys.filter(({ tokenSerial }) => tokenSerial === token.serial);
  if (own.length === 0) logger.error('no manifest names a key on this token that is served', { token: token.label });
  return own;
}

/** A wrong key is always fatal, a rejected PIN only when no token is left. */
async function startTokens(tokens: readonly TokenSigners[]): Promise<void> {
  const verdicts = await Promise.all(tokens.map(async (token) => ({ token, verdict: await token.start() })));
  if (verdicts.some(({ verdict }) => verdict !== 'pin-rejected')) return;
  const messages = verdicts.map(({ token }) => describeFatal({ reason: 'pin-rejected' }, token.label));
  throw new SigillumError('config_invalid', messages.join('\n'));
}

function reportReady(
  recorder: AuditRecorder,
  tokens: ReadonlyMap<string, TokenSigners>,
  registry: KeyRegistry,
  isStarted: boolean,
): ReadyReport {
  const checks: Record<string, string> = { audit: recorder.describe() };
  for (const token of tokens.values()) {
    checks[`token ${token.label}`] = token.isHealthy ? 'ok' : token.isUsable ? 'canary failed' : 'down';
  }
  const isReady = isStarted && Object.values(checks).every((state) => state === 'ok');
  // Other keys still sign, so it takes no instance out of work; it is an alarm in the metrics.
  if (registry.quarantinedCount > 0) checks['quarantined keys'] = String(registry.quarantinedCount);
  return { ready: isReady, checks };
}
