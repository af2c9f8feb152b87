import type { LeapWarning } from './ntp-packet.ts';
import type { SourceMeasurement } from './query-ntp-server.ts';

/** What a majority of the sources says about our clock: its error lies between the two, in milliseconds. */
export type Consensus = {
  readonly lowMs: number;
  readonly highMs: number;
  readonly leap: LeapWarning;
  /** Sources outside of what the majority says: each is certainly wrong. */
  readonly liars: readonly string[];
};

/**
 * Marzullo's idea (RFC 5905 §11.2.1), taken conservatively: each source gives an interval that holds our clock's error
 * if the source is right. The answer is the smallest interval that holds every point on which a majority of the
 * **configured** sources agrees, silent ones counting against it. So while more than half of the sources are right,
 * the truth is in it, whatever the others say: they can widen it, not move it away.
 */
export function combineMeasurements(
  measurements: ReadonlyMap<string, SourceMeasurement>,
  configured: number,
): Consensus | 'too_few_answers' | 'no_majority' {
  const majority = Math.floor(configured / 2) + 1;
  if (measurements.size < majority) return 'too_few_answers';
  const intervals = [...measurements].map(([source, { offsetMs, errorMs, leap }]) => ({
    source,
    low: offsetMs - errorMs,
    high: offsetMs + errorMs,
    leap,
  }));
  const covers = (point: number): boolean =>
    intervals.filter(({ low, high }) => low <= point && point <= high).length >= majority;
  // The edges of what a majority covers are edges of intervals.
  const edges = intervals.flatMap(({ low, high }) => [low, high]).filter(covers);
  if (edges.length === 0) return 'no_majority';
  const lowMs = Math.min(...edges);
  const highMs = Math.max(...edges);
  const agreeing = intervals.filter(({ low, high }) => low <= highMs && high >= lowMs);
  return {
    lowMs,
    highMs,
    leap: findLeap(agreeing.map(({ leap }) => leap)),
    liars: intervals.filter((interval) => !agreeing.includes(interval)).map(({ source }) => source),
  };
}

/** More than half of those that agree on the time must announce it. */
function findLeap(warnings: readonly LeapWarning[]): LeapWarning {
  for (const leap of ['insert', 'delete'] as const) {
    if (warnings.filter((warning) => warning === leap).length * 2 > warnings.length) return leap;
  }
  return 'none';
}
