import type { AppearanceFonts } from '@sigillum/appearances';
import type { Freshness, RevocationSource } from '@sigillum/pades';
import type { KnownCertificates } from '@sigillum/pki';
import type { TimeStampRequester } from '@sigillum/pki-sources';
import type { Logger } from '@sigillum/service-kit';
import type { SignerClient } from '@sigillum/signer-rpc';
import type { BlobStore, Database } from '@sigillum/store';
import type { Limits } from './config.ts';
import type { RateLimiter } from './http/rate-limiter.ts';
import type { HealthChecks } from './health/health-checks.ts';
import type { JudgingPool } from './judging/judging-pool.ts';
import type { RevocationLists } from './sealing/assert-may-seal.ts';
import type { Places } from './sealing/places.ts';
import type { SealMetrics } from './sealing/seal-metrics.ts';
import type { StepGate } from './sealing/step-gate.ts';

/** Everything the routes work with, made once at start. */
export type Services = {
  /** The configured name of this instance, and a UUID of this process. */
  readonly instance: string;
  readonly process: string;
  /** Ids of the seals that this process works on; as many as there are places. */
  readonly atWork: Set<string>;
  readonly publicUrl: string;
  readonly limits: Limits;
  readonly spoolDirectory: string;
  readonly pkiDirectory: string;
  readonly pepper: Uint8Array;
  readonly db: Database;
  readonly blobs: BlobStore;
  readonly signer: Pick<SignerClient, 'signDigests' | 'health'>;
  readonly timeStamps: Pick<TimeStampRequester, 'request' | 'lastTokenSize' | 'isUsable' | 'states'>;
  /** Our own CRLs: asked before each seal. */
  readonly revocationLists: RevocationLists;
  /** Validation data for b-lt and b-lta; undefined when the configuration names no source. */
  readonly revocation: RevocationSource | undefined;
  /** How new revocation data about our own signers must be. */
  readonly freshness: Freshness | undefined;
  /** Trust anchors of what is extended, DER. */
  readonly roots: readonly Uint8Array[];
  /** Of visible seals. */
  readonly fonts: AppearanceFonts;
  readonly rateLimiter: RateLimiter;
  /** Certificates of credentials and their chains, read once. */
  readonly knownCertificates: KnownCertificates;
  /** Judges what is to be extended. */
  readonly judging: JudgingPool;
  readonly places: Places;
  readonly stepGate: StepGate;
  readonly health: HealthChecks;
  readonly metrics: SealMetrics;
  readonly logger: Logger;
  readonly now: () => Date;
};
