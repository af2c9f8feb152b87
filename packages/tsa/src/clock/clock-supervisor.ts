import { TimeStampRefusal } from '@sigillum/pki';
import { isInLeapWindow } from './leap-window.ts';
import { assessRound, type ClockMeasurement, type ClockRound } from './measure-clock.ts';
import type { LocalClock } from './query-ntp-server.ts';

/** Why there is no time at the moment. A closed set: readiness, metrics and the log use these words. */
export type ClockFault =
  | 'not_measured_yet'
  | 'measurement_too_old'
  | 'beyond_accuracy'
  | 'stepped'
  | 'leap_second'
  | Extract<ClockMeasurement, { kind: 'fault' }>['reason'];

/** How well the time is known. */
export type ClockBound = {
  /** |true time − clock| is at most this, in milliseconds; undefined when nobody measures it. */
  readonly boundMs: number | undefined;
  /** What a token states: the bound rounded up to whole milliseconds, 1 … 1000. */
  readonly accuracyMs: number;
};

/** Says how well the clock is known at a time, or why it may not be used. */
export type ClockWatch = {
  /** Undefined while the clock may be used. */
  findFault(): ClockFault | undefined;
  /** For a time just read from the clock. Throws a {@link TimeStampRefusal} `timeNotAvailable`. */
  assess(now: Date): ClockBound;
};

export type ClockSupervisorOptions = {
  /** Asks every source once; resolves within a bounded time and never rejects. */
  readonly ask: () => Promise<ClockRound>;
  readonly clock: LocalClock;
  /** The accuracy promised: a clock known less well gives no time. At most 1000. */
  readonly accuracyMs: number;
  /** Between rounds while all is well. */
  readonly pollMs: number;
  /** Between rounds while something is missing. */
  readonly retryMs: number;
  /** A measurement older than this is none. */
  readonly maxAgeMs: number;
  readonly onRound?: (round: ClockRound, measurement: ClockMeasurement) => void;
  /** Told when the clock becomes usable (undefined) or stops being so. */
  readonly onChange?: (fault: ClockFault | undefined, bound: ClockBound | undefined) => void;
};

/** What an undisciplined crystal may run wrong: ten times the 10 ppm of a good one, over that of RFC 5905's 15 ppm. */
const driftPerMs = 100e-6;

/** Wall and monotonic clock are read one after the other: on a busy machine with this between them. More is a step. */
const maxDeviationMs = 25;

type Anchor = { readonly wall: number; readonly monotonic: number };

/**
 * Supervises the clock: measures it in rounds and knows at any time within what bound it is right. The bound grows
 * between rounds by the drift of a crystal and by what the wall clock moved against the monotonic one, so that a clock
 * that somebody sets is noticed with the next token and not with the next round.
 */
export class ClockSupervisor implements ClockWatch {
  readonly #options: ClockSupervisorOptions;
  #measured: (Anchor & { readonly boundMs: number; readonly leapAhead: boolean }) | undefined;
  #fault: ClockFault | undefined = 'not_measured_yet';
  #announced: ClockFault | undefined | 'nothing' = 'nothing';
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;
  #isExpedited = false;
  #lastRound = 0;

  constructor(options: ClockSupervisorOptions) {
    this.#options = options;
  }

  /** Begins with a round at once; resolves when it has ended. */
  start(): Promise<void> {
    return this.measure();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round now, or the one under way. */
  measure(): Promise<void> {
    this.#round ??= this.#runRound().finally(() => (this.#round = undefined));
    return this.#round;
  }

  findFault(): ClockFault | undefined {
    const state = this.#judge(this.#options.clock.now());
    return typeof state === 'string' ? state : undefined;
  }

  assess(now: Date): ClockBound {
    const state = this.#judge(now.getTime());
    if (typeof state === 'string') {
      throw new TimeStampRefusal('timeNotAvailable', `The clock of this service can't be relied on: ${words[state]}.`);
    }
    return state;
  }

  #judge(now: number): ClockBound | ClockFault {
    const state = this.#compute(now);
    const fault = typeof state === 'string' ? state : undefined;
    if (fault !== this.#announced) {
      this.#announced = fault;
      this.#options.onChange?.(fault, typeof state === 'string' ? undefined : state);
    }
    return state;
  }

  #compute(now: number): ClockBound | ClockFault {
    const measured = this.#measured;
    if (this.#fault !== undefined) return this.#fault;
    if (measured === undefined) return 'not_measured_yet';
    const elapsed = this.#options.clock.monotonic() - measured.monotonic;
    const deviation = Math.abs(now - measured.wall - elapsed) - elapsed * driftPerMs;
    // Before the step: around a leap second kernels step by design.
    if (measured.leapAhead && isInLeapWindow(now, measured.wall)) {
      this.#expedite();
      return 'leap_second';
    }
    if (deviation > maxDeviationMs) {
      // Set by somebody, or this machine slept: what is known about it is no longer about this clock.
      this.#fault = 'stepped';
      this.#expedite();
      return 'stepped';
    }
    if (elapsed > this.#options.maxAgeMs) return 'measurement_too_old';
    const boundMs = measured.boundMs + elapsed * driftPerMs + Math.max(0, deviation);
    if (boundMs > this.#options.accuracyMs) return 'beyond_accuracy';
    return { boundMs, accuracyMs: Math.max(1, Math.ceil(boundMs)) };
  }

  /** The next round as soon as politeness to the sources allows (`retryMs` after the last). */
  #expedite(): void {
    if (this.#isExpedited || this.#round !== undefined || this.#stopped) return;
    this.#isExpedited = true;
    const sinceLast = this.#options.clock.monotonic() - this.#lastRound;
    this.#schedule(Math.max(0, this.#options.retryMs - sinceLast));
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.measure(), delayMs);
    // Supervision is no reason to stay alive.
    this.#timer.unref();
  }

  async #runRound(): Promise<void> {
    clearTimeout(this.#timer);
    const { clock } = this.#options;
    this.#isExpedited = false;
    this.#lastRound = clock.monotonic();
    const before = readBoth(clock);
    const round = await this.#options.ask();
    const after = readBoth(clock);
    const measurement = assessRound(round);
    const stepped =
      Math.abs(after.wall - before.wall - (after.monotonic - before.monotonic)) > maxDeviationMs ||
      [...round.sources.values()].includes('stepped');
    if (stepped) this.#fault = 'stepped';
    else this.#take(measurement, before);
    this.#options.onRound?.(round, measurement);
    // Says the change, and whether there is one.
    const state = this.#judge(clock.now());
    if (this.#stopped) return;
    const isWell = typeof state !== 'string' && measurement.kind === 'measured' && !stepped;
    this.#schedule(isWell ? this.#options.pollMs : this.#options.retryMs);
  }

  #take(measurement: ClockMeasurement, anchor: Anchor): void {
    if (measurement.kind === 'fault') {
      this.#fault = measurement.reason;
      this.#measured = undefined;
    } else if (measurement.kind === 'measured') {
      this.#fault = undefined;
      this.#measured = { ...anchor, boundMs: measurement.boundMs, leapAhead: measurement.leap !== 'none' };
    } else if (this.#measured === undefined && this.#fault === undefined) {
      this.#fault = 'not_measured_yet';
    }
  }
}

/** For people, after "The clock of this service can't be relied on: ". */
const words: Readonly<Record<ClockFault, string>> = {
  not_measured_yet: 'it has not been measured yet',
  measurement_too_old: 'it has not been measured for too long',
  beyond_accuracy: 'it is further from its sources than the accuracy promised',
  stepped: 'it was set, and has not been measured since',
  leap_second: 'a leap second is being inserted or deleted',
  no_majority: 'its sources contradict each other',
  unsynchronised: 'it is not synchronised',
  not_authenticated: 'its sources are not authenticated',
  chrony_contradicted: 'the sources contradict chronyd',
};

function readBoth(clock: LocalClock): Anchor {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

/** The watch of development: no sources, the accuracy as configured. Never for tokens that count. */
export function createUnsupervisedWatch(accuracyMs: number): ClockWatch {
  const bound = { boundMs: undefined, accuracyMs };
  return { findFault: () => undefined, assess: () => bound };
}
