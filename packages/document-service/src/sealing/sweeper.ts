import { encodeId, sweepBlobs, sweepReplays, sweepSeals } from '@sigillum/store';
import type { Services } from '../services.ts';

/** Blobs younger than this may belong to an outcome on its way; a seal is over in a minute. */
const blobGraceMs = 3_600_000;

/** Orphaned blobs are rare and listing them is not: looked for once a day. */
const blobSweepEveryMs = 24 * 3_600_000;

/**
 * Ends what crashed processes, or this one without its database, left: pending seals become `failed`, their idempotency keys free; forgets expired replays.
 * The first call also ends seals of earlier processes of this instance, however young.
 */
export class Sweeper {
  readonly #services: Services;
  #blobsSweptAt = 0;

  constructor(services: Services) {
    this.#services = services;
  }

  async sweep(): Promise<void> {
    const { db, blobs, instance, process, atWork, limits, logger, metrics, now } = this.#services;
    const swept = await sweepSeals(db, {
      instance,
      process,
      // `now` first: what is begun later is younger and left alone.
      now: now(),
      atWork: [...atWork],
      olderThanMs: limits.sweep_pending_after_ms,
    });
    for (const seal of swept) {
      metrics.count('swept');
      logger.warn(
        'a seal was never finished and is ended as failed; what the HSM signed for it is in the log of hash-signer',
        {
          seal: encodeId(seal.kind === 'extension' ? 'ext' : 'seal', seal.id),
          request_id: seal.requestId,
          created_at: seal.createdAt.toISOString(),
        },
      );
    }
    await sweepReplays(db, blobs, now());
    if (now().getTime() - this.#blobsSweptAt < blobSweepEveryMs) return;
    this.#blobsSweptAt = now().getTime();
    await sweepBlobs(db, blobs, { now: now(), olderThanMs: blobGraceMs });
  }
}
