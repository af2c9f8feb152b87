import type { TimeStampRequester } from '@sigillum/pki-sources';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Places } from './places.ts';
import { registerTimeStampMetrics } from './time-stamp-metrics.ts';
import { type SealStep, sealSteps } from './seal-steps.ts';

/** What is measured of seals. Labels come from closed sets: steps and outcomes. */
export type SealMetrics = {
  /** Runs one step and observes its time. */
  measure<T>(step: SealStep, run: () => Promise<T>): Promise<T>;
  /** Starts a step's time. @returns how to end it */
  start(step: SealStep): () => void;
  count(outcome: 'completed' | 'refused' | 'failed' | 'replayed' | 'swept'): void;
};

/** From a digest to an upload of minutes, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600];

/** Registers the metrics of seals. */
export function createSealMetrics(
  registry: Registry,
  places: Places,
  timeStamps: Pick<TimeStampRequester, 'states'>,
): SealMetrics {
  registerTimeStampMetrics(registry, timeStamps);
  const registers = [registry];
  const duration = new Histogram({
    name: 'seal_step_seconds',
    help: 'Time of each step of a seal',
    labelNames: ['step'],
    buckets,
    registers,
  });
  const processorTime = new Counter({
    name: 'seal_step_cpu_seconds_total',
    help: 'Processor time of this process while a seal was in a step; with several seals at once each counts all of it',
    labelNames: ['step'],
    registers,
  });
  const startStep = (step: SealStep): (() => void) => {
    const end = duration.startTimer({ step });
    const before = process.cpuUsage();
    return () => {
      end();
      const { user, system } = process.cpuUsage(before);
      processorTime.inc({ step }, (user + system) / 1e6);
    };
  };
  const outcomes = new Counter({ name: 'seals_total', help: 'Seals by outcome', labelNames: ['outcome'], registers });
  const inProgress = new Gauge({
    name: 'seals_in_progress',
    help: 'Seals that hold a place',
    registers: [],
    collect() {
      this.set(places.taken);
    },
  });
  registry.registerMetric(inProgress);
  for (const step of sealSteps) {
    duration.zero({ step });
    processorTime.inc({ step }, 0);
  }
  return {
    async measure(step, run) {
      const end = startStep(step);
      try {
        return await run();
      } finally {
        end();
      }
    },
    start: startStep,
    count: (outcome) => outcomes.inc({ outcome }),
  };
}
