import type { PkiFailure } from '@sigillum/pki';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { ListenerName } from './issuing-queue.ts';

/** How a query ended: granted, a failure of RFC 3161, an HTTP error, or a caller that hung up. */
export type Outcome = 'granted' | PkiFailure | 'overloaded' | 'unavailable' | 'aborted';

/** The TSA's own metrics; labels are closed sets. Queue time and signing time are apart. */
export type TsaMetrics = {
  readonly answers: Counter<'listener' | 'outcome'>;
  readonly queueSeconds: Histogram;
  readonly signSeconds: Histogram;
  readonly batchSize: Histogram;
};

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createTsaMetrics(registry: Registry): TsaMetrics {
  const registers = [registry];
  return {
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
  };
}

/** Counts one answer. */
export function countAnswer(metrics: TsaMetrics, listener: ListenerName, outcome: Outcome): void {
  metrics.answers.inc({ listener, outcome });
}
