import type { Logger } from '@sigillum/service-kit';
import { type Config, type Limits, MAX_WATCHDOG_SHARE, type TokenConfig } from './config.ts';
import type { KeyRegistry } from './key-registry.ts';
import type { PinLatch } from './pin-latch.ts';
import type { ServedKey } from './served-keys.ts';
import type { WatchdogLimits } from './signer-messages.ts';
import type { SignerMetrics } from './signer-metrics.ts';
import type { SignerSlotsOptions } from './signer-slots.ts';
import { listReturnCodes, type VendorProfile } from './vendor-profile.ts';

/** What the signer processes of one token need, but for the keys. */
export type TokenSetup = {
  readonly token: TokenConfig;
  readonly pkcs11: Config['pkcs11'];
  readonly profile: VendorProfile | undefined;
  readonly signers: number;
  readonly lanes: number;
  readonly limits: Limits;
  readonly canary: Config['canary'];
  readonly breaker: Config['breaker'];
  readonly registry: KeyRegistry;
  readonly latch: PinLatch;
  readonly logger: Logger;
  readonly metrics: SignerMetrics;
  /** The PIN was rejected after the token had worked, or while another token works. */
  readonly onLatched: () => void;
};

/** Two, so that one can die without anybody noticing. */
const DEFAULT_SIGNERS = 2;
const DEFAULT_LANES = 2;

/** A pipe's round trip of P-256 on this machine's processors. */
const LEAST_WINDOW = 16;

/** The token's own word, then the vendor profile's, then ours. */
export function chooseSizes(token: TokenConfig, profile: VendorProfile | undefined) {
  return {
    signers: token.signers ?? profile?.signers ?? DEFAULT_SIGNERS,
    lanes: token.lanes ?? profile?.lanes ?? DEFAULT_LANES,
  };
}

/** Digests of one purpose in one signer process. */
export function getWindow({
  lanes,
  limits,
}: {
  readonly lanes: number;
  readonly limits: Pick<Limits, 'in_flight_per_purpose'>;
}): number {
  return limits.in_flight_per_purpose ?? Math.max(LEAST_WINDOW, 2 * lanes);
}

/** How long one operation may take, by kind of key. */
export function getWatchdogLimits({ token, limits }: Pick<TokenSetup, 'token' | 'limits'>): WatchdogLimits {
  const usual = Math.floor(limits.min_timeout_ms * MAX_WATCHDOG_SHARE);
  // With a minimum that only tests have, a limit that no operation could keep would kill everything.
  const floor = Math.max(usual, 20);
  return { ec: token.watchdog_ms.ec ?? floor, rsa: token.watchdog_ms.rsa ?? floor };
}

/** The part of the options that doesn't change from one set of keys to the next, and the keys. */
export function createSlotsOptions(
  setup: TokenSetup,
  keys: readonly ServedKey[],
): Omit<SignerSlotsOptions, 'onReady' | 'onSigned' | 'onFailed' | 'onLost'> {
  const { token, pkcs11, limits, lanes } = setup;
  const purposes = new Set(keys.map(({ purpose }) => purpose));
  return {
    count: setup.signers,
    launch: {
      lanes,
      ...(pkcs11.run_as === undefined ? {} : { runAs: pkcs11.run_as }),
      environment: {
        ...pkcs11.environment,
        ...(pkcs11.softhsm_conf === undefined ? {} : { SOFTHSM2_CONF: pkcs11.softhsm_conf }),
      },
    },
    setup: {
      module: pkcs11.module,
      ...(pkcs11.library_parameters === undefined ? {} : { libraryParameters: pkcs11.library_parameters }),
      token: { label: token.label, serial: token.serial },
      pinFile: token.pin_file,
      lanes,
      reservedLanes: token.reserved_lanes,
      watchdogMs: getWatchdogLimits(setup),
      inProcess: setup.profile?.in_process ?? false,
      returnCodes: listReturnCodes(setup.profile),
      // One canary more than the windows.
      maxInFlight: getWindow(setup) * Math.max(1, purposes.size) + 1,
      keys: keys.map(({ keyId, algorithm, purpose, spki }) => ({
        keyId,
        algorithm,
        purpose,
        spki: Buffer.from(spki).toString('base64'),
      })),
    },
    startTimeoutMs: limits.start_timeout_ms,
    latch: setup.latch,
    logger: setup.logger.child({ token: token.label }),
    metrics: setup.metrics,
    onLatched: setup.onLatched,
  };
}
