import { join } from 'node:path';
import { AuditLog } from '@sigillum/audit';
import { SigillumError } from '@sigillum/errors';
import {
  createLogger,
  createMetrics,
  type ReadyReport,
  readSecretFile,
  readTextFile,
  type RunningServer,
  type RunningService,
  serve,
  serveInternal,
} from '@sigillum/service-kit';
import type { Purpose } from '@sigillum/signer-rpc';
import { Policy } from './client-policy.ts';
import type { Config, TokenConfig } from './config.ts';
import { createRpcApp } from './create-rpc-app.ts';
import { describeFatal } from './describe-fatal.ts';
import { loadServedKeys, type ServedKey } from './key-manifest.ts';
import { KeyRegistry } from './key-registry.ts';
import { PinLatch } from './pin-latch.ts';
import { DigestSigning } from './sign-digests.ts';
import { createSignerMetrics } from './signer-metrics.ts';
import { TokenSigners } from './token-signers.ts';

export type HashSignerEvents = {
  /** Every token has rejected its PIN while we ran: there is nothing left to do here. */
  readonly onUseless: () => void;
  /** The audit log can't be written: a new process opens it again, and signs when the disk takes it. */
  readonly onAuditFailed: () => void;
};

/**
 * Starts the daemon: the log first, then the tokens, and the listener for clients last, so that a wrong manifest or
 * PIN is a failure to start and not one of the first request.
 * @throws SigillumError `config_invalid`, `audit_*`
 */
export async function startHashSigner(config: Config, events: HashSignerEvents): Promise<RunningService> {
  const logger = createLogger({ service: 'hash-signer', instance: config.instance });
  const metrics = createMetrics({ service: 'hash-signer' });
  const tokens = new Map<string, TokenSigners>();
  const signerMetrics = createSignerMetrics(metrics, () => sumQueueLengths(tokens.values()));
  const keys = loadServedKeys(config.manifests, config.tokens);
  const registry = new KeyRegistry(keys);
  const audit = await AuditLog.open({
    directory: config.audit.directory,
    chain: `hash-signer/${config.instance}`,
    onFailure: (error) => {
      logger.error('the audit log can not be written; ending, to be started again', { error });
      events.onAuditFailed();
    },
  });
  let isStarted = false;

  const createToken = (token: TokenConfig): TokenSigners =>
    new TokenSigners({
      token,
      keys: getKeysOf(token, keys),
      registry,
      module: config.pkcs11.module,
      softhsmConf: config.pkcs11.softhsm_conf,
      limits: config.limits,
      latch: new PinLatch(config.state ?? join(config.audit.directory, 'state'), token.serial, token.pin_file),
      logger,
      metrics: signerMetrics,
      onLatched: () => {
        if (isStarted && ![...tokens.values()].some(({ isUsable }) => isUsable)) events.onUseless();
      },
    });
  for (const token of config.tokens) tokens.set(token.serial, createToken(token));

  const signing = new DigestSigning({
    audit,
    registry,
    tokens,
    minTimeoutMs: config.limits.min_timeout_ms,
    logger,
    metrics: signerMetrics,
  });
  signerMetrics.auditSequence.set(audit.head.sequence);
  const servers: RunningServer[] = [];
  const stop = async (): Promise<void> => {
    const [internal, rpc] = servers;
    await rpc?.close(config.limits.drain_ms);
    await Promise.all(Array.from(tokens.values(), (token) => token.drain(config.limits.drain_ms)));
    await audit.close();
    // A later reader compares it with the files: a tail that was cut off shows.
    logger.info('audit log closed', describeHead(audit));
    await internal?.close(0);
  };
  try {
    const isReady = (): ReadyReport => reportReady(audit, tokens, isStarted);
    servers.push(await serveInternal({ listen: config.internal, registry: metrics.registry, isReady }));
    await startTokens([...tokens.values()]);
    const app = createRpcApp({ logger, metrics, policy: new Policy(config.clients), registry, tokens, signing });
    servers.push(await serve(app, { ...config.listen, tls: readTls(config), limits: listenerLimits(config) }));
    isStarted = true;
  } catch (error) {
    await stop();
    throw error;
  }
  const ports = { port: servers[1]?.port, internal_port: servers[0]?.port };
  logger.info('hash-signer ready', { ...ports, keys: keys.length, ...describeHead(audit) });
  return { stop };
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

function getKeysOf(token: TokenConfig, keys: readonly ServedKey[]): ServedKey[] {
  const own = keys.filter(({ tokenSerial }) => tokenSerial === token.serial);
  if (own.length === 0) {
    throw new SigillumError('config_invalid', `No manifest names a key on the token ${token.label} that is served.`);
  }
  return own;
}

/** A wrong key is always fatal, a rejected PIN only when no token is left. */
async function startTokens(tokens: readonly TokenSigners[]): Promise<void> {
  const verdicts = await Promise.all(tokens.map(async (token) => ({ token, verdict: await token.start() })));
  if (verdicts.some(({ verdict }) => verdict !== 'pin-rejected')) return;
  const messages = verdicts.map(({ token }) => describeFatal({ reason: 'pin-rejected' }, token.label));
  throw new SigillumError('config_invalid', messages.join('\n'));
}

function readTls(config: Config) {
  const key = readSecretFile(config.tls.key);
  return {
    certificate: readTextFile(config.tls.certificate),
    key: key.toString('utf8'),
    clientRoots: readTextFile(config.tls.client_roots),
  };
}

function listenerLimits(config: Config) {
  return { maxConnections: config.limits.max_connections, requestTimeoutMs: 30_000 };
}

function reportReady(audit: AuditLog, tokens: ReadonlyMap<string, TokenSigners>, isStarted: boolean): ReadyReport {
  const checks: Record<string, string> = { audit: audit.failure ? 'failed' : 'ok' };
  for (const token of tokens.values()) checks[`token ${token.label}`] = token.isUsable ? 'ok' : 'down';
  return { ready: isStarted && Object.values(checks).every((state) => state === 'ok'), checks };
}
