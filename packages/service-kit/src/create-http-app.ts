import { SigillumError } from '@sigillum/errors';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet, { type HelmetOptions } from 'helmet';
import type { LogFields, Logger } from './create-logger.ts';
import type { Metrics } from './create-metrics.ts';
import { createRequestId, requestIdHeader } from './request-id.ts';

export type HttpAppOptions = {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Addresses or number of hops as express' `trust proxy`; by default no `X-Forwarded-*` header is believed. */
  readonly trustProxy?: string | number | readonly string[];
  /** Changes to the default headers, such as the content security policy of a service with pages. */
  readonly helmet?: HelmetOptions;
};

/** Methods that may become a metric label; everything else is `OTHER`. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** An answer that nobody waited for, as in the access logs of other servers. */
const callerHungUp = 499;

/** The fields an app adds to a request's log line, kept on `response.locals`. */
const logFieldsKey = 'sigillumLogFields';

/**
 * An express app with strict headers, our own request id, one log line and one observation per request end.
 * It parses no body. Register routes on it, then call `useProblemHandler`.
 */
export function createHttpApp(options: HttpAppOptions): Express {
  const app = express();
  // One path is one route: nothing answers at `/V1/Seals/` that the documentation doesn't have.
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('trust proxy', options.trustProxy ?? false);
  app.use(recordRequest(options));
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      ...options.helmet,
    }),
  );
  return app;
}

/** Adds fields (ids, sizes; no personal data, no secret) to the line logged at the end of this request. */
export function addLogFields(response: Response, fields: LogFields): void {
  response.locals[logFieldsKey] = { ...getLogFields(response), ...fields };
}

/** The template of the route that took a request (`/v1/seals/:id`), or `unmatched`; never the URL. */
export function getRouteTemplate(request: Request): string {
  const route: unknown = request.route;
  if (typeof route !== 'object' || route === null || !('path' in route)) return 'unmatched';
  return request.baseUrl + String(route.path);
}

function getLogFields(response: Response): LogFields {
  return (response.locals[logFieldsKey] as LogFields | undefined) ?? {};
}

function recordRequest({ logger, metrics }: HttpAppOptions) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const requestId = createRequestId();
    const started = process.hrtime.bigint();
    response.setHeader(requestIdHeader, requestId);
    metrics.http.inFlight.inc();
    // 'close' comes exactly once, after the end as after a caller that hung up.
    response.once('close', () => {
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const status = response.writableFinished ? response.statusCode : callerHungUp;
      const route = getRouteTemplate(request);
      const method = knownMethods.has(request.method) ? request.method : 'OTHER';
      metrics.http.inFlight.dec();
      metrics.http.duration.observe({ method, route, status: String(status) }, seconds);
      logger.info('request', {
        request_id: requestId,
        method,
        route,
        status,
        ms: Math.round(seconds * 1e6) / 1e3,
        ...getLogFields(response),
      });
    });
    next();
  };
}

/** For handlers: stops work on an answer nobody waits for. @throws SigillumError `request_aborted`. */
export function assertCallerWaits(response: Response): void {
  if (response.destroyed) throw new SigillumError('request_aborted', 'The caller hung up.');
}
