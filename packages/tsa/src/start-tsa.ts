import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditLog } from '@sigillum/audit';
import {
  type Logger,
  type Metrics,
  type RunningServer,
  type RunningService,
  serve,
  serveInternal,
} from '@sigillum/service-kit';
import { createTsaApp } from './create-tsa-app.ts';
import { GenTimeClock, reserveMs } from './gen-time-clock.ts';
import { openHighWaterMark } from './high-water-mark.ts';
import { type AcceptedRequest, type IssuingPorts, issueTimeStamps } from './issue-time-stamps.ts';
import { IssuingQueue, type ListenerName } from './issuing-queue.ts';
import { findReasonAgainst, type TimeStampUnit } from './time-stamp-unit.ts';
import { createTsaMetrics } from './tsa-metrics.ts';

type Address = { readonly host: string; readonly port: number };

export type TsaOptions = {
  readonly listen: Readonly<Record<ListenerName | 'internal', Address>>;
  readonly unit: TimeStampUnit;
  readonly policy: string;
  readonly accuracyMs: number;
  /** Path of the high-water mark. */
  readonly stateFile: string;
  readonly queueLimits: Readonly<Record<ListenerName, number>>;
  readonly sign: IssuingPorts['sign'];
  /** Whether the signer can make time-stamps now. */
  readonly isSignerReady: () => Promise<boolean>;
  readonly audit: Pick<AuditLog, 'append' | 'failure'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly now: () => Date;
};

/** A TSA that listens; the ports are those it got. */
export type RunningTsa = RunningService & { readonly ports: Readonly<Record<ListenerName | 'internal', number>> };

/** An RFC 3161 exchange is one small request; whoever needs longer is not a client. */
const limits = { requestTimeoutMs: 10_000 };

/** Everything of the service but its configuration and its signer client: clock, queue, listeners. */
export async function startTsa(options: TsaOptions): Promise<RunningTsa> {
  const { logger, metrics, unit, policy, now } = options;
  const tsaMetrics = createTsaMetrics(metrics.registry);
  const clock = await GenTimeClock.open({ mark: openHighWaterMark(options.stateFile), now });
  await waitForMark(clock, logger);
  const ports: IssuingPorts = {
    unit,
    policy,
    accuracyMs: options.accuracyMs,
    clock,
    sign: async (digests) => {
      const stop = tsaMetrics.signSeconds.startTimer();
      try {
        return await options.sign(digests);
      } finally {
        stop();
      }
    },
    record: (event) => options.audit.append(event),
  };
  const queue = new IssuingQueue<AcceptedRequest, Uint8Array>({
    limits: options.queueLimits,
    issue: (batch) => issueTimeStamps(batch, ports),
    onBatch: (size, waitedMs) => {
      tsaMetrics.batchSize.observe(size);
      tsaMetrics.queueSeconds.observe(waitedMs / 1000);
    },
  });
  const listen = (listener: ListenerName): Promise<RunningServer> =>
    serve(createTsaApp({ listener, queue, policy, logger, metrics, tsaMetrics }), {
      ...options.listen[listener],
      limits,
    });

  const servers: RunningServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    await queue.drain();
    await clock.close();
  };
  try {
    const isReady = async () => {
      const checks = {
        signer: (await options.isSignerReady()) ? 'ok' : 'unavailable',
        clock: clock.behindMs === 0 ? 'ok' : 'behind its own mark',
        certificate: findReasonAgainst(unit, now()) ?? 'ok',
        audit: options.audit.failure === undefined ? 'ok' : 'failed',
      };
      return { ready: Object.values(checks).every((check) => check === 'ok'), checks };
    };
    const publicServer = await listen('public');
    servers.push(publicServer);
    const sealsServer = await listen('seals');
    servers.push(sealsServer);
    const internalServer = await serveInternal({
      listen: options.listen.internal,
      registry: metrics.registry,
      isReady,
    });
    servers.push(internalServer);
    return { stop, ports: { public: publicServer.port, seals: sealsServer.port, internal: internalServer.port } };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** After a crash the mark stands a little ahead: wait for it. Further ahead means a clock set back: that is refused, not waited for. */
async function waitForMark(clock: GenTimeClock, logger: Logger): Promise<void> {
  const behindMs = clock.behindMs;
  if (behindMs === 0) return;
  if (behindMs > reserveMs) {
    logger.error('the clock stands before the last time-stamp given; there are no time-stamps until it has passed it', {
      behind_ms: behindMs,
    });
    return;
  }
  await sleep(behindMs);
}
