import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of one process: a registry of its own, so that nothing is shared by being in one process. */
export type Metrics = {
  readonly registry: Registry;
  readonly http: HttpMetrics;
};

/** Labels come from closed sets: known methods, route templates, status numbers. */
export type HttpMetrics = {
  readonly duration: Histogram<'method' | 'route' | 'status'>;
  readonly inFlight: Gauge;
};

/** From a cached answer to a large PDF over a slow line, in seconds. */
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Creates the registry with Node's default metrics (event-loop delay included) and those of HTTP. */
export function createMetrics(options: { readonly service: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service });
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request head to the end of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: durationBuckets,
    registers: [registry],
  });
  const inFlight = new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests whose answer has not ended',
    registers: [registry],
  });
  return { registry, http: { duration, inFlight } };
}
