import { TimeStampRefusal } from '@sigillum/pki';
import type { ClockBound, ClockWatch } from './clock-supervisor.ts';
import type { HighWaterMark } from './high-water-mark.ts';
import { PatientDisk } from './patient-disk.ts';

/** How far ahead a mark is written: one sync in three seconds under load, three seconds of silence after a crash at worst. */
export const reserveMs = 3000;

export type GenTimeClockOptions = {
  readonly mark: HighWaterMark;
  readonly now: () => Date;
  /** Asked with each time that is read: a clock that can't be relied on gives none. */
  readonly watch: ClockWatch;
  /** The genTime of the last token in the audit log: what the mark can't be before. Undefined when there is none. */
  readonly lastRecorded?: Date | undefined;
};

/**
 * What stands between a clock and its mark, beside ClockFault and in the same places: the clock is before the last time
 * given, or the disk does not take a mark.
 */
export type MarkFault = 'behind_mark' | 'mark_not_written';

/** Syncs that may be slower than the reserve before the disk counts as failed. */
const maxReservations = 3;

/** A time to put into tokens, and how well it is known. */
export type GenTime = ClockBound & { readonly time: Date };

/**
 * Gives genTimes that never go back, also over restarts and crashes: a mark not earlier than the time is durable before
 * the time is given. A clock that stands before the mark is a fault: then there is no time, rather than an invented one.
 */
export class GenTimeClock {
  readonly #mark: HighWaterMark;
  readonly #now: () => Date;
  readonly #watch: ClockWatch;
  readonly #disk = new PatientDisk();
  /** The stored mark is older than what was given: somebody put back an old file. What was given counts. */
  readonly isMarkOlder: boolean;
  /** No time before this one is given. */
  #floor: number;
  /** No time after this one is given before a later mark is on disk. */
  #reserved: number;

  private constructor(options: GenTimeClockOptions, stored: Date | undefined) {
    this.#mark = options.mark;
    this.#now = options.now;
    this.#watch = options.watch;
    const [mark, given] = [stored?.getTime() ?? 0, options.lastRecorded?.getTime() ?? 0];
    this.isMarkOlder = mark < given;
    this.#floor = Math.max(mark, given);
    this.#reserved = this.#floor;
  }

  /** @throws SigillumError `tsa_state_damaged`, also when the mark is missing although there are tokens */
  static async open(options: GenTimeClockOptions): Promise<GenTimeClock> {
    return new GenTimeClock(options, await options.mark.read(options.lastRecorded));
  }

  /** Milliseconds until the clock has passed the mark; 0 when it has. More than the reserve means that it was set back. */
  get behindMs(): number {
    return Math.max(0, this.#floor - this.#now().getTime());
  }

  /** Undefined while there is nothing against giving times; it doesn't ask the watch. */
  findFault(): MarkFault | undefined {
    if (this.#disk.isStuck) return 'mark_not_written';
    return this.behindMs === 0 ? undefined : 'behind_mark';
  }

  /** The time, with milliseconds. Throws a {@link TimeStampRefusal} `timeNotAvailable`. One call at a time. */
  async take(): Promise<GenTime> {
    for (let attempt = 0; attempt <= maxReservations; attempt++) {
      // Read again after each sync: a slow disk must not make the time old.
      const now = this.#now();
      const bound = this.#watch.assess(now);
      if (now.getTime() < this.#floor) {
        throw new TimeStampRefusal('timeNotAvailable', 'The clock stands before the last time-stamp given.');
      }
      if (now.getTime() <= this.#reserved) {
        this.#floor = now.getTime();
        return { ...bound, time: now };
      }
      await this.#reserve(now.getTime() + reserveMs);
    }
    throw new TimeStampRefusal('timeNotAvailable', 'The state of the clock can not be written fast enough.');
  }

  async #reserve(mark: number): Promise<void> {
    // One at a time, or an older mark could come last; and a disk that hangs would take a thread for each.
    if (this.#disk.isStuck) {
      throw new TimeStampRefusal('timeNotAvailable', 'The disk does not take the state of the clock.');
    }
    try {
      await this.#disk.wait(this.#write(mark));
    } catch (cause) {
      throw new TimeStampRefusal('timeNotAvailable', 'The state of the clock can not be written.', { cause });
    }
  }

  async #write(mark: number): Promise<void> {
    await this.#mark.write(new Date(mark));
    this.#reserved = mark;
  }

  /** Writes the last time given instead of the reserve, so that the next start need not wait. */
  async close(): Promise<void> {
    if (this.#reserved === this.#floor || this.#disk.isStuck) return;
    this.#reserved = this.#floor;
    await this.#disk.wait(this.#mark.write(new Date(this.#floor)));
  }
}
