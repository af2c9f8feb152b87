import type { PkiFailure } from '@sigillum/pki';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ListenerName } from './token/issuing-queue.ts';

/** How a query ended: granted, a failure of RFC 3161, an HTTP error, or a caller that hung up. */
export type Outcome =
  | 'granted'
  | PkiFailure
  | 'overloaded'
  | 'unavailable'
  | 'aborted'
  | 'unauthenticated'
  | 'rate_limited';

/** The TSA's own metrics; labels are closed sets. Queue time and signing time are apart. */
export type TsaMetrics = {
  readonly answers: Counter<'listener' | 'outcome'>;
  readonly queueSeconds: Histogram;
  readonly signSeconds: Histogram;
  readonly batchSize: Histogram;
  /** Of each time source and of chronyd: how far the clock is from it; the sign as in SourceMeasurement. */
  readonly clockOffset: Gauge<'source'>;
  readonly clockMeasurements: Counter<'source' | 'result'>;
  /** 1 for the reason for which there is no time, 0 for all others. */
  readonly clockFault: Gauge<'fault'>;
  /** 1 while the disk of the audit log takes no line: there are no time-stamps. */
  readonly auditStuck: Gauge;
  /** Computed when somebody looks, from {@link TsaFigures}. */
  readonly clockBound: Gauge;
  readonly unitRemainingDays: Gauge<'unit'>;
  readonly unitActive: Gauge<'unit'>;
  readonly unitKeyServed: Gauge<'unit'>;
};

/** Figures that are computed when somebody looks. */
export type TsaFigures = {
  /** Undefined while the clock can't be relied on. */
  readonly boundMs: () => number | undefined;
  readonly units: () => readonly {
    readonly name: string;
    readonly remainingDays: number;
    readonly isActive: boolean;
  }[];
};

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createTsaMetrics(registry: Registry, figures: TsaFigures): TsaMetrics {
  const registers = [registry];
  return {
    clockBound: new Gauge({
      name: 'tsa_clock_bound_seconds',
      help: 'Within what the clock is known to be right; NaN while it is not.',
      registers,
      collect() {
        const boundMs = figures.boundMs();
        this.set(boundMs === undefined ? Number.NaN : boundMs / 1000);
      },
    }),
    unitRemainingDays: new Gauge({
      name: 'tsa_unit_remaining_days',
      help: 'Days for which a time-stamp unit may still sign.',
      labelNames: ['unit'] as const,
      registers,
      collect() {
        for (const { name, remainingDays } of figures.units()) this.set({ unit: name }, remainingDays);
      },
    }),
    unitActive: new Gauge({
      name: 'tsa_unit_active',
      help: '1 for the time-stamp unit that signs now.',
      labelNames: ['unit'] as const,
      registers,
      collect() {
        for (const { name, isActive } of figures.units()) this.set({ unit: name }, isActive ? 1 : 0);
      },
    }),
    unitKeyServed: new Gauge({
      name: 'tsa_unit_key_served',
      help: '1 when the signer serves the key of a time-stamp unit, 0 when it does not.',
      labelNames: ['unit'] as const,
      registers,
    }),
    answers: new Counter({
      name: 'tsa_answers_total',
      help: 'Time-stamp queries answered, by listener and outcome.',
      labelNames: ['listener', 'outcome'] as const,
      registers,
    }),
    queueSeconds: new Histogram({
      name: 'tsa_queue_seconds',
      help: 'How long the oldest query of a batch waited.',
      buckets: seconds,
      registers,
    }),
    signSeconds: new Histogram({
      name: 'tsa_sign_seconds',
      help: 'How long a signDigests call took.',
      buckets: seconds,
      registers,
    }),
    batchSize: new Histogram({
      name: 'tsa_batch_size',
      help: 'Time-stamps that shared one signDigests call.',
      buckets: [1, 2, 5, 10, 20, 50, 100],
      registers,
    }),
    clockOffset: new Gauge({
      name: 'tsa_clock_offset_seconds',
      help: 'How far the clock is behind a source (negative: ahead), when it last answered.',
      labelNames: ['source'] as const,
      registers,
    }),
    clockMeasurements: new Counter({
      name: 'tsa_clock_measurements_total',
      help: 'Questions to time sources, by what came of them.',
      labelNames: ['source', 'result'] as const,
      registers,
    }),
    auditStuck: new Gauge({
      name: 'tsa_audit_stuck',
      help: '1 while the disk of the audit log does not answer: there are no time-stamps.',
      registers,
    }),
    clockFault: new Gauge({
      name: 'tsa_clock_fault',
      help: '1 for the reason for which there are no time-stamps, while there is one.',
      labelNames: ['fault'] as const,
      registers,
    }),
  };
}

/** Counts one answer. */
export function countAnswer(metrics: TsaMetrics, listener: ListenerName, outcome: Outcome): void {
  metrics.answers.inc({ listener, outcome });
}
