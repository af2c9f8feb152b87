import {
  type LocalClock,
  type NtpSource,
  queryNtpServer,
  type SourceFailure,
  type SourceMeasurement,
} from './query-ntp-server.ts';

/** No pause is longer: NTP's own longest interval, 2^17 s (RFC 5905 §7.2, MAXPOLL). */
const maxPauseMs = 2 ** 17 * 1000;

export type PoliteSourceOptions = {
  readonly clock: LocalClock;
  readonly timeoutMs: number;
  /** How often it is asked while it doesn't object. */
  readonly pollMs: number;
};

/**
 * A time server that is asked no more often than it wants (RFC 5905 §7.4). After DENY or RSTR it is not asked again by
 * this process. With each RATE the time between two questions doubles, and stays so. What comes in between are the same
 * words instead of a measurement: the source counts as configured and silent, so the majority has to be without it.
 */
export class PoliteSource {
  readonly source: NtpSource;
  readonly #options: PoliteSourceOptions;
  #isDenied = false;
  /** Between two questions; 0 until it objects for the first time. */
  #pauseMs = 0;
  /** On the monotonic clock; it is not asked before. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(source: NtpSource, options: PoliteSourceOptions) {
    this.source = source;
    this.#options = options;
  }

  async ask(): Promise<SourceMeasurement | SourceFailure> {
    const { clock, timeoutMs, pollMs } = this.#options;
    if (this.#isDenied) return 'denied';
    const now = clock.monotonic();
    if (now < this.#notBefore) return 'rate_limited';
    const said = await queryNtpServer(this.source, { clock, timeoutMs });
    if (said === 'denied') this.#isDenied = true;
    if (said === 'rate_limited') this.#pauseMs = Math.min(Math.max(this.#pauseMs, pollMs) * 2, maxPauseMs);
    this.#notBefore = now + this.#pauseMs;
    return said;
  }
}
