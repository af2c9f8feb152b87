import type { Logger } from '@sigillum/service-kit';
import type { Policy } from './client-policy.ts';
import type { Config } from './config.ts';
import type { KeyRegistry } from './key-registry.ts';
import type { Quarantine } from './quarantine.ts';
import type { RateLimits } from './rate-limits.ts';
import { isSameKey, isWithdrawn, loadServedKeys, type ServedKey } from './served-keys.ts';
import type { SignerMetrics } from './signer-metrics.ts';
import type { TlsFiles } from './tls-files.ts';
import type { TokenSigners } from './token-signers.ts';

export type ReloadDependencies = {
  /** @throws SigillumError `config_invalid` */
  readonly readConfig: () => Config;
  readonly policy: Policy;
  readonly rates: RateLimits;
  readonly registry: KeyRegistry;
  readonly quarantine: Quarantine;
  readonly tokens: ReadonlyMap<string, TokenSigners>;
  readonly tls: TlsFiles;
  readonly logger: Logger;
  readonly metrics: SignerMetrics;
};

/** What a reload takes; everything else in the configuration needs a restart. */
const reloadedParts = new Set(['clients', 'rates', 'tls', 'manifests']);

const sameKeys = (left: readonly ServedKey[], right: readonly ServedKey[]): boolean => {
  const describe = (keys: readonly ServedKey[]): string =>
    keys
      .map(({ keyId, purpose, algorithm, name, spki }) =>
        [keyId, purpose, algorithm, name, Buffer.from(spki).toString('hex')].join(),
      )
      .sort()
      .join(';');
  return describe(left) === describe(right);
};

/**
 * SIGHUP: clients, rates, keys, quarantine and TLS files anew, one reload at a time. A configuration that is not
 * valid changes nothing; new keys that a token doesn't have leave that token without all new ones. A key whose manifest
 * has gone is used no more, whatever else is wrong: that needs no HSM and nothing that is valid.
 */
export class Reload {
  readonly #with: ReloadDependencies;
  #config: Config;
  #running: Promise<void> = Promise.resolve();
  /** The one that hasn't begun: it will see all that is on the disk by then, so others join it. */
  #waiting: Promise<void> | undefined;

  constructor(config: Config, dependencies: ReloadDependencies) {
    this.#config = config;
    this.#with = dependencies;
  }

  /** Never rejects: what is wrong is logged and counted. */
  run(): Promise<void> {
    if (this.#waiting) return this.#waiting;
    const next = this.#running.then(() => {
      this.#waiting = undefined;
      return this.#reload();
    });
    this.#waiting = next;
    this.#running = next;
    return next;
  }

  async #reload(): Promise<void> {
    const { logger, metrics } = this.#with;
    try {
      const config = this.#with.readConfig();
      const keys = loadServedKeys(config.manifests, this.#config.tokens);
      // First of all that can fail: what follows takes effect as a whole.
      this.#reloadQuarantine();
      this.#warnAboutRest(config);
      this.#with.policy.replace(config.clients);
      this.#with.rates.replace(config.rates);
      this.#with.tls.reload(config.tls);
      this.#config = { ...this.#config, ...config, tokens: this.#config.tokens };
      metrics.reloads.inc({ what: 'config', outcome: 'ok' });
      logger.info('configuration read again', { clients: config.clients.length, keys: keys.length });
      // Before anything that waits for an HSM.
      this.#withdraw((key) => !keys.some((other) => isSameKey(key, other)));
      for (const token of this.#with.tokens.values()) await this.#reloadKeys(token, keys);
    } catch (error) {
      this.#withdraw(isWithdrawn);
      metrics.reloads.inc({ what: 'config', outcome: 'failed' });
      logger.error('the configuration is not usable, the old one stays', { error });
    }
  }

  #warnAboutRest(config: Config): void {
    const changed = Object.keys(config).filter((part) => {
      const name = part as keyof Config;
      return !reloadedParts.has(part) && JSON.stringify(config[name]) !== JSON.stringify(this.#config[name]);
    });
    if (changed.length > 0) this.#with.logger.warn('these parts need a restart', { parts: changed });
  }

  #reloadQuarantine(): void {
    const { quarantine, registry, metrics, logger } = this.#with;
    const released = quarantine.reload();
    metrics.quarantinedKeys.set(registry.quarantinedCount);
    if (released.length > 0) logger.warn('keys are out of quarantine', { key_ids: released });
  }

  #withdraw(isGone: (key: ServedKey) => boolean): void {
    const { registry, tokens, logger, metrics } = this.#with;
    const gone = registry.list().filter(isGone);
    if (gone.length === 0) return;
    const keyIds = new Set(gone.map(({ keyId }) => keyId));
    registry.remove(keyIds);
    for (const token of tokens.values()) {
      token.withdrawKeys(
        keyIds,
        registry.list().filter(({ tokenSerial }) => tokenSerial === token.serial),
      );
    }
    metrics.quarantinedKeys.set(registry.quarantinedCount);
    metrics.reloads.inc({ what: 'keys', outcome: 'ok' });
    logger.warn('keys are used no more', { key_ids: [...keyIds] });
  }

  async #reloadKeys(token: TokenSigners, keys: readonly ServedKey[]): Promise<void> {
    const { registry, logger, metrics } = this.#with;
    const own = keys.filter(({ tokenSerial }) => tokenSerial === token.serial);
    const before = registry.list().filter(({ tokenSerial }) => tokenSerial === token.serial);
    if (sameKeys(own, before)) return;
    const isReplaced = await token.replaceKeys(own, () => registry.replaceToken(token.serial, own));
    metrics.reloads.inc({ what: 'keys', outcome: isReplaced ? 'ok' : 'failed' });
    if (isReplaced) logger.info('keys read again', { token: token.label, keys: own.length });
    else
      logger.error('the token can not sign with all keys of the manifests: none of the new ones is used', {
        token: token.label,
      });
  }
}
