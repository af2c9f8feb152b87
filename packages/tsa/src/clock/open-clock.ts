import type { Logger } from '@sigillum/service-kit';
import type { TsaConfig } from '../config.ts';
import type { TsaMetrics } from '../tsa-metrics.ts';
import { queryChrony } from './chrony.ts';
import {
  type ClockBound,
  type ClockFault,
  ClockSupervisor,
  type ClockWatch,
  createUnsupervisedWatch,
} from './clock-supervisor.ts';
import type { ClockMeasurement, ClockRound } from './measure-clock.ts';
import { PoliteSource } from './polite-source.ts';
import type { LocalClock } from './query-ntp-server.ts';

/** The watch over the clock that the configuration asks for, and what keeps it going. */
export type OpenClock = ClockWatch & { start(): void; stop(): Promise<void> };

export type ClockReporting = {
  readonly logger: Logger;
  /** Told each time that the clock becomes usable (undefined) or stops being so. For the audit log. */
  readonly onChange: (fault: ClockFault | undefined, bound: ClockBound | undefined) => void;
};

/** Opens it; nothing is asked before `start`. Metrics are handed in late because they show what this watches. */
export function openClock(
  config: Pick<TsaConfig, 'clock' | 'accuracy_ms'>,
  clock: LocalClock,
  { logger, onChange }: ClockReporting,
  getMetrics: () => TsaMetrics,
): OpenClock {
  const { clock: settings, accuracy_ms: accuracyMs } = config;
  let announced: ClockFault | undefined;
  if ('unsupervised' in settings) {
    const watch = createUnsupervisedWatch(accuracyMs);
    return {
      findFault: () => watch.findFault(),
      assess: (now) => watch.assess(now),
      start: () =>
        logger.warn('the clock is not supervised: these time-stamps prove nothing', { accuracy_ms: accuracyMs }),
      stop: () => Promise.resolve(),
    };
  }
  const { chrony } = settings;
  const pollMs = settings.poll_seconds * 1000;
  const options = { clock, timeoutMs: settings.timeout_ms, pollMs };
  const sources = settings.sources.map((source) => new PoliteSource(source, options));
  const supervisor = new ClockSupervisor({
    clock,
    accuracyMs,
    pollMs,
    retryMs: settings.retry_seconds * 1000,
    maxAgeMs: settings.max_age_seconds * 1000,
    ask: async () => {
      const asked = sources.map(async (one) => [nameSource(one.source), await one.ask()] as const);
      const chronySaid =
        chrony === undefined
          ? undefined
          : await queryChrony({
              ...chrony,
              requireNts: chrony.require_nts,
              authdataSocket: chrony.authdata_socket,
            });
      return { sources: new Map(await Promise.all(asked)), chrony: chronySaid };
    },
    onRound: (round, measurement) => reportRound(round, measurement, logger, getMetrics()),
    onChange: (fault, bound) => {
      if (fault === undefined) logger.info('the clock can be relied on', { bound_ms: bound?.boundMs });
      else logger.error('the clock can not be relied on; there are no time-stamps', { fault });
      const { clockFault } = getMetrics();
      // Only its own: there are others (MarkFault).
      if (announced !== undefined) clockFault.remove({ fault: announced });
      if (fault !== undefined) clockFault.set({ fault }, 1);
      announced = fault;
      onChange(fault, bound);
    },
  });
  return {
    findFault: () => supervisor.findFault(),
    assess: (now) => supervisor.assess(now),
    start: () => void supervisor.start(),
    stop: () => supervisor.stop(),
  };
}

function nameSource({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}

/** One log line a round with everything that was said (EN 319 421 §7.12: records of clock synchronisation). */
function reportRound(round: ClockRound, measurement: ClockMeasurement, logger: Logger, metrics: TsaMetrics): void {
  const said = [...round.sources, ...(round.chrony === undefined ? [] : [['chrony', round.chrony] as const])];
  for (const [source, answer] of said) {
    const result = typeof answer === 'string' ? answer : 'measured';
    metrics.clockMeasurements.inc({ source, result });
    if (typeof answer !== 'string') metrics.clockOffset.set({ source }, answer.offsetMs / 1000);
  }
  const level = measurement.kind === 'measured' && measurement.liars.length === 0 ? 'info' : 'warn';
  logger[level]('clock measured', {
    ...measurement,
    sources: Object.fromEntries(
      said.map(([source, answer]) => [
        source,
        typeof answer === 'string' ? answer : { offset_ms: round3(answer.offsetMs), error_ms: round3(answer.errorMs) },
      ]),
    ),
  });
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
