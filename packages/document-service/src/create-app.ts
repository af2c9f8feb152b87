import { createHttpApp, type Metrics, useProblemHandler } from '@sigillum/service-kit';
import type { Express } from 'express';
import { buildOpenApi } from './http/build-openapi.ts';
import { mountRoutes } from './http/mount-routes.ts';
import { mountPages } from './pages/mount-pages.ts';
import { routes } from './routes/routes.ts';
import type { Services } from './services.ts';

/** The public API and its pages, ready to be served. */
export function createApp(services: Services, metrics: Metrics): Express {
  const app = createHttpApp({ logger: services.logger, metrics });
  mountRoutes(app, routes, services);
  mountPages(app, {
    publicUrl: services.publicUrl,
    pkiDirectory: services.pkiDirectory,
    openApi: buildOpenApi(routes, services.publicUrl),
  });
  useProblemHandler(app, { logger: services.logger });
  return app;
}
