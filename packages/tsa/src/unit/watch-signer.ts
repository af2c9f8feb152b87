import { isSigillumError } from '@sigillum/errors';
import type { Logger } from '@sigillum/service-kit';
import type { SignerClient } from '@sigillum/signer-rpc';
import type { TsaMetrics } from '../tsa-metrics.ts';
import type { TimeStampUnit } from './time-stamp-unit.ts';
import type { UnitRotation } from './unit-rotation.ts';

/** Of the time for a signature, this much may go by before the signer reads how much is left. */
const sendMs = 250;

/** A successor's key is looked for days before its time; a minute is soon. */
const lookMs = 60_000;

export type SignerWatchOptions = {
  readonly signer: Pick<SignerClient, 'health' | 'keys'>;
  readonly rotation: UnitRotation;
  /** `limits.sign_timeout_ms`. */
  readonly timeoutMs: number;
  readonly now: () => Date;
  readonly logger: Logger;
  readonly metrics: Pick<TsaMetrics, 'unitKeyServed'>;
};

/**
 * Whether the signer can sign for our units: that it is well, has time enough, and serves their keys. A unit whose key
 * isn't there is an alarm from its configuration on, and no readiness when it is the one that signs.
 */
export class SignerWatch {
  readonly #options: SignerWatchOptions;
  /** As the signer said last; empty while it has never been asked. */
  readonly #served = new Map<TimeStampUnit, boolean>();
  #timer: NodeJS.Timeout | undefined;
  #wasForbidden = false;

  constructor(options: SignerWatchOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#lookForKeys();
    this.#timer = setInterval(() => void this.#lookForKeys(), lookMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** `ok`, or what is wrong, for readiness. */
  async describe(): Promise<string> {
    const { signer, rotation, timeoutMs, now } = this.#options;
    const health = signer.health().catch(() => undefined);
    await this.#lookForKeys();
    const { purposes, min_timeout_ms: least = 0 } = (await health) ?? {};
    if (purposes?.timestamp !== 'ok') return 'unavailable';
    // A call gets what is left of the time, a little less: with no less than the signer takes there would never be a token.
    if (timeoutMs < least + sendMs) return `limits.sign_timeout_ms is below ${least + sendMs}, which the signer needs`;
    const active = rotation.find(now());
    return active !== undefined && this.#served.get(active) === false
      ? `it does not serve the key of ${active.name}`
      : 'ok';
  }

  /** Never rejects. A signer that is away changes nothing: that is said elsewhere. */
  async #lookForKeys(): Promise<void> {
    const { signer, rotation, logger, metrics } = this.#options;
    try {
      const keys = new Map((await signer.keys()).map(({ key_id, spki }) => [key_id, spki]));
      for (const unit of rotation.units) {
        const isServed = keys.get(unit.keyId) === Buffer.from(unit.certificate.spki).toString('base64');
        metrics.unitKeyServed.set({ unit: unit.name }, isServed ? 1 : 0);
        if (this.#served.get(unit) === isServed) continue;
        this.#served.set(unit, isServed);
        const fields = { unit: unit.name, key_id: unit.keyId, begins: unit.begins };
        if (isServed) logger.info('the signer serves the key of a time-stamp unit', fields);
        else logger.error('the signer does not serve the key of a time-stamp unit, or another one by its id', fields);
      }
    } catch (error) {
      if (!isSigillumError(error, 'signer_method_forbidden') || this.#wasForbidden) return;
      this.#wasForbidden = true;
      logger.warn('the signer does not let this service ask for keys: nobody looks whether units have theirs', {
        error,
      });
    }
  }
}
