import type { TimeStampRequester } from '@sigillum/pki-sources';
import { Gauge, type Registry } from 'prom-client';

/**
 * Registers what is known of each time-stamp authority. Labels are the names of the configuration and the states of
 * {@link TimeStampRequester}.
 */
export function registerTimeStampMetrics(registry: Registry, timeStamps: Pick<TimeStampRequester, 'states'>): void {
  const gauge = (name: string, help: string, labelNames: readonly string[], read: (gauge: Gauge) => void): void => {
    const metric: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [],
      collect: () => read(metric),
    });
    registry.registerMetric(metric);
  };
  gauge('time_stamp_authority_usable', '1 while it is asked in its place', ['tsa', 'state'], (metric) => {
    metric.reset();
    for (const { name, state } of timeStamps.states()) metric.set({ tsa: name, state }, Number(state === 'healthy'));
  });
  gauge('time_stamp_authority_requests', 'Requests that ended, probes included', ['tsa'], (metric) => {
    for (const { name, requests } of timeStamps.states()) metric.set({ tsa: name }, requests);
  });
  gauge('time_stamp_authority_failures', 'Requests that ended without a usable time-stamp', ['tsa'], (metric) => {
    for (const { name, failures } of timeStamps.states()) metric.set({ tsa: name }, failures);
  });
}
