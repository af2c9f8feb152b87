import { createLogger, createMetrics, type RunningService, serve, serveInternal } from '@sigillum/service-kit';
import { chainEvents } from '@sigillum/store';
import type { Config } from './config.ts';
import { createApp } from './create-app.ts';
import { openServices } from './open-services.ts';
import { repeat } from './repeat.ts';
import { Sweeper } from './sealing/sweeper.ts';
import type { Services } from './services.ts';

/** A backlog of events is chained without pauses, else a second later at most. */
const chainEveryMs = 500;

/** A running document-service; the ports are the real ones where the configuration says 0. */
export type DocumentService = RunningService & { readonly port: number; readonly internalPort: number };

/** Starts listening. What an earlier process left is swept first, and again in between. */
export async function startService(config: Config): Promise<DocumentService> {
  const logger = createLogger({ service: 'document-service', instance: config.instance });
  const metrics = createMetrics({ service: 'document-service' });
  const opened = await openServices(config, logger, metrics);
  const { services } = opened;
  const { limits } = config;
  const sweeper = new Sweeper(services);
  const sweeping = repeat(() => sweeper.sweep(), { name: 'sweeping', pauseMs: limits.sweep_every_ms, logger });
  const chaining = repeat(() => chainAll(services), { name: 'chaining events', pauseMs: chainEveryMs, logger });
  const server = await serve(createApp(services, metrics), {
    ...config.listen,
    limits: { requestTimeoutMs: limits.upload_ms, maxConnections: limits.connections },
  });
  const internal = await serveInternal({
    listen: config.internal,
    registry: metrics.registry,
    isReady: async () => {
      const { checks } = await services.health.check();
      const words = Object.entries(checks).map(([name, ok]) => [name, ok ? 'ok' : 'unavailable'] as const);
      return { ready: words.every(([, word]) => word === 'ok'), checks: Object.fromEntries(words) };
    },
  });
  logger.info('listening', { port: server.port, internal_port: internal.port, url: config.public_url });
  return {
    port: server.port,
    internalPort: internal.port,
    reload: () => opened.rereadTls(),
    async stop() {
      await server.close(limits.drain_ms);
      // Seals whose callers have gone still write how they ended; the cut connections above have told them to.
      await services.places.whenFree();
      await Promise.all([sweeping.stop(), chaining.stop()]);
      await chainAll(services).catch((error: unknown) =>
        logger.warn('the last events wait for the next start', { error }),
      );
      await internal.close();
      await opened.close();
      logger.info('stopped');
    },
  };
}

async function chainAll({ db }: Services): Promise<void> {
  while ((await chainEvents(db)) > 0);
}
