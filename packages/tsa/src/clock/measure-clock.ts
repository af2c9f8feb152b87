import { type ChronyFailure, type ChronyTracking } from './chrony.ts';
import { combineMeasurements } from './combine-measurements.ts';
import type { LeapWarning } from './ntp-packet.ts';
import type { SourceFailure, SourceMeasurement } from './query-ntp-server.ts';

/** One round of questions: what each of them said, by name. */
export type ClockRound = {
  readonly sources: ReadonlyMap<string, SourceMeasurement | SourceFailure>;
  readonly chrony: ChronyTracking | ChronyFailure | undefined;
};

/** What a round is worth. */
export type ClockMeasurement =
  /** |true time − our clock| ≤ boundMs at the time of the round. */
  | {
      readonly kind: 'measured';
      readonly boundMs: number;
      readonly leap: LeapWarning;
      readonly liars: readonly string[];
    }
  /** Too few answers: nothing is known that wasn't known before. */
  | { readonly kind: 'nothing'; readonly reason: 'too_few_answers' | 'chrony_silent' }
  /** What was said excludes that the clock can be used. */
  | {
      readonly kind: 'fault';
      readonly reason: 'no_majority' | 'unsynchronised' | 'not_authenticated' | 'chrony_contradicted';
    };

/**
 * Draws the conclusion of a round: the majority of the sources and, where there is one, chronyd must each have an
 * opinion, and the two must be compatible. The bound is the worse of both: |offset| + root delay / 2 + dispersion.
 */
export function assessRound({ sources, chrony }: ClockRound): ClockMeasurement {
  if (chrony === 'unsynchronised' || chrony === 'not_authenticated') return { kind: 'fault', reason: chrony };
  if (chrony === 'silent') return { kind: 'nothing', reason: 'chrony_silent' };
  const answers = new Map<string, SourceMeasurement>();
  for (const [name, said] of sources) if (typeof said !== 'string') answers.set(name, said);
  const consensus = combineMeasurements(answers, sources.size);
  if (consensus === 'too_few_answers') return { kind: 'nothing', reason: consensus };
  if (consensus === 'no_majority') return { kind: 'fault', reason: consensus };
  const { lowMs, highMs, leap, liars } = consensus;
  const fromSources = Math.max(Math.abs(lowMs), Math.abs(highMs));
  if (chrony === undefined) return { kind: 'measured', boundMs: fromSources, leap, liars };
  const { offsetMs, errorMs } = chrony;
  if (offsetMs - errorMs > highMs || offsetMs + errorMs < lowMs) {
    return { kind: 'fault', reason: 'chrony_contradicted' };
  }
  const boundMs = Math.max(fromSources, Math.abs(offsetMs) + errorMs);
  return { kind: 'measured', boundMs, leap: leap === 'none' ? chrony.leap : leap, liars };
}
