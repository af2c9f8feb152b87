import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { type RunningServer, serve } from './serve.ts';

/** Whether a service can do its work, with one word per thing it needs. */
export type ReadyReport = { readonly ready: boolean; readonly checks?: Readonly<Record<string, string>> };

export type ServeInternalOptions = {
  readonly listen: { readonly host: string; readonly port: number };
  readonly registry: Registry;
  readonly isReady: () => ReadyReport | Promise<ReadyReport>;
};

/** A readiness check that hangs is an answer too. */
const readyTimeoutMs = 5_000;

/** Probes and one scraper. */
const limits = { maxConnections: 64, requestTimeoutMs: 10_000 } as const;

/** The plain listener for probes: `/healthz` (the process is up), `/readyz` (200 or 503), `/metrics`. */
export function serveInternal(options: ServeInternalOptions): Promise<RunningServer> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain', 'GET only\n');
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return send(response, 200, 'application/json', '{"status":"ok"}\n');
      case '/readyz': {
        const report = await askReady(options.isReady);
        return send(response, report.ready ? 200 : 503, 'application/json', `${JSON.stringify(report)}\n`);
      }
      case '/metrics':
        return send(response, 200, options.registry.contentType, await options.registry.metrics());
      default:
        return send(response, 404, 'text/plain', 'Not found\n');
    }
  };
  return serve(
    (request, response) => {
      answer(request, response).catch(() => {
        if (response.headersSent) response.destroy();
        else send(response, 500, 'text/plain', 'Internal error\n');
      });
    },
    { ...options.listen, limits },
  );
}

async function askReady(isReady: ServeInternalOptions['isReady']): Promise<ReadyReport> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<ReadyReport>((resolve) => {
    timer = setTimeout(() => resolve({ ready: false, checks: { readiness: 'timeout' } }), readyTimeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve().then(isReady), timeout]);
  } catch {
    return { ready: false, checks: { readiness: 'error' } };
  } finally {
    clearTimeout(timer);
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body);
}
