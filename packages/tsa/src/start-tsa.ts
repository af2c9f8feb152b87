import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditLog } from '@sigillum/audit';
import { SigillumError } from '@sigillum/errors';
import {
  type Logger,
  type Metrics,
  type RunningServer,
  type RunningService,
  type ServeTls,
  serve,
  serveInternal,
} from '@sigillum/service-kit';
import type { ClockWatch } from './clock/clock-supervisor.ts';
import { GenTimeClock, reserveMs } from './clock/gen-time-clock.ts';
import { openHighWaterMark } from './clock/high-water-mark.ts';
import { PatientDisk } from './clock/patient-disk.ts';
import { watchMark } from './clock/watch-mark.ts';
import { AddressShares } from './http/address-shares.ts';
import type { PublicAdmission } from './http/admission.ts';
import { createTsaListener } from './http/create-tsa-listener.ts';
import { type AcceptedRequest, beginTimeStamps, type IssuingPorts } from './token/issue-time-stamps.ts';
import { IssuingQueue, type ListenerName } from './token/issuing-queue.ts';
import { TokenWriter } from './token/token-writer.ts';
import type { TsaMetrics } from './tsa-metrics.ts';
import type { UnitRotation } from './unit/unit-rotation.ts';

type Address = { readonly host: string; readonly port: number; readonly tls?: ServeTls | undefined };

export type TsaOptions = {
  readonly listen: Readonly<Record<ListenerName | 'internal', Address>>;
  readonly rotation: UnitRotation;
  readonly policy: string;
  /** Says with each time whether the clock can be relied on. */
  readonly watch: ClockWatch;
  /** Who may ask on the public listener; undefined asks nothing and counts nothing. */
  readonly admission?: PublicAdmission | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
  /** Connections of one address on the public listener at the same time; undefined bounds only all together. */
  readonly connectionsPerAddress?: number | undefined;
  /** Path of the high-water mark. */
  readonly stateFile: string;
  /** The genTime of the last token in the audit log, before which no time is given whatever the mark says. */
  readonly lastRecorded?: Date | undefined;
  readonly queueLimits: Readonly<Record<ListenerName, number>>;
  readonly sign: IssuingPorts['sign'];
  /** `ok` when the signer can make time-stamps now; else what is wrong, for readiness. */
  readonly describeSigner: () => Promise<string>;
  readonly audit: Pick<AuditLog, 'append' | 'appendAll' | 'failure'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tsaMetrics: TsaMetrics;
  readonly now: () => Date;
};

/** A TSA that listens; the ports are those it got. */
export type RunningTsa = RunningService & {
  readonly ports: Readonly<Record<ListenerName | 'internal', number>>;
  /** Takes a renewed certificate for new connections. */
  replaceTls(listener: ListenerName, tls: ServeTls): void;
};

/** An RFC 3161 exchange is one small request; whoever needs longer is not a client. */
const limits = { requestTimeoutMs: 10_000 };

/** Everything of the service but its configuration and its signer client: clock, queue, listeners. */
export async function startTsa(options: TsaOptions): Promise<RunningTsa> {
  const { logger, metrics, tsaMetrics, rotation, policy, now, watch } = options;
  const { stateFile, lastRecorded } = options;
  const clock = await GenTimeClock.open({ mark: openHighWaterMark(stateFile), now, watch, lastRecorded });
  if (clock.isMarkOlder)
    logger.error('the state is older than the audit log: somebody put back an old file; the log counts', {
      last_recorded: lastRecorded,
    });
  await waitForMark(clock, logger);
  /** Of the audit log. */
  const disk = new PatientDisk((isStuck) => {
    tsaMetrics.auditStuck.set(isStuck ? 1 : 0);
    if (isStuck) logger.error('the disk of the audit log does not answer; there are no time-stamps until it does');
    else logger.info('the disk of the audit log answers again');
  });
  const ports: IssuingPorts = {
    selectWriter: createWriterSelection(options),
    clock: {
      take: () => {
        if (disk.isStuck) throw createStuckError();
        return clock.take();
      },
    },
    sign: async (unit, digests) => {
      const stop = tsaMetrics.signSeconds.startTimer();
      try {
        return await options.sign(unit, digests);
      } finally {
        stop();
      }
    },
    // What is overdue may still get into the log: recorded, though nobody was told.
    record: (events) => disk.wait(options.audit.appendAll(events)),
  };
  const queue = new IssuingQueue<AcceptedRequest, Uint8Array>({
    limits: options.queueLimits,
    begin: (batch) => beginTimeStamps(batch, ports),
    onBatch: (size, waitedMs) => {
      tsaMetrics.batchSize.observe(size);
      tsaMetrics.queueSeconds.observe(waitedMs / 1000);
    },
  });
  const { connectionsPerAddress: most, trustedProxies } = options;
  const shares = most === undefined ? undefined : new AddressShares(most, trustedProxies);
  const listen = (listener: ListenerName): Promise<RunningServer> =>
    serve(
      createTsaListener({
        listener,
        queue,
        policy,
        logger,
        metrics,
        tsaMetrics,
        ...(listener === 'public' && { admission: options.admission, trustedProxies: options.trustedProxies }),
      }),
      {
        ...toServeOptions(options.listen[listener]),
        ...(listener === 'public' && shares !== undefined && { onConnection: (socket) => shares.meet(socket) }),
      },
    );

  const stopWatch = watchMark(clock, createMarkReport(options));
  const servers: RunningServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    await queue.drain();
    stopWatch();
    await clock.close();
  };
  try {
    const isReady = async () => {
      const checks = {
        signer: await options.describeSigner(),
        clock: watch.findFault() ?? clock.findFault() ?? 'ok',
        certificate: rotation.find(now()) === undefined ? rotation.explain(now()) : 'ok',
        audit: options.audit.failure !== undefined ? 'failed' : disk.isStuck ? 'the disk does not answer' : 'ok',
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
    const listeners = { public: publicServer, seals: sealsServer };
    const replaceTls: RunningTsa['replaceTls'] = (name, tls) => listeners[name].replaceTls(tls);
    return {
      stop,
      replaceTls,
      ports: { public: publicServer.port, seals: sealsServer.port, internal: internalServer.port },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function toServeOptions({ host, port, tls }: Address) {
  return { host, port, limits, ...(tls && { tls }) };
}

/** As the supervised clock's own faults are reported: a metric, a line of the log, one of the audit log. */
function createMarkReport({ tsaMetrics, logger, audit, now }: TsaOptions): Parameters<typeof watchMark>[1] {
  return (fault, before) => {
    if (before !== undefined) tsaMetrics.clockFault.remove({ fault: before });
    if (fault === undefined) logger.info('the clock has passed its own mark, which is on disk', { before });
    else {
      tsaMetrics.clockFault.set({ fault }, 1);
      logger.error('there are no time-stamps', { fault });
    }
    const event = { type: 'tsa.clock_changed', time: now().toISOString(), ...(fault ? { fault } : { passed: 'mark' }) };
    audit.append(event).catch(() => undefined);
  };
}

function createStuckError(): SigillumError {
  return new SigillumError('service_unavailable', 'Time-stamps can not be recorded at the moment, so none are given.', {
    retryAfterSeconds: 5,
  });
}

/** A writer for each unit, made once; a change of the unit that signs is logged and recorded (EN 319 421 §7.12). */
function createWriterSelection({ rotation, policy, logger, audit }: TsaOptions): IssuingPorts['selectWriter'] {
  const writers = new Map(rotation.units.map((unit) => [unit, new TokenWriter(unit, policy)]));
  let last: TokenWriter | undefined;
  return (time) => {
    const unit = rotation.select(time);
    const writer = writers.get(unit) ?? new TokenWriter(unit, policy);
    if (writer !== last) {
      last = writer;
      const serial = unit.certificate.serialNumber;
      logger.info('a time-stamp unit begins to sign', { unit: unit.name, key_id: unit.keyId, certificate: serial });
      // Goes into the same group as the first token; a failure of the log ends that token too.
      const event = {
        type: 'tsa.unit_selected',
        time: time.toISOString(),
        unit: unit.name,
        key_id: unit.keyId,
        tsu: serial,
      };
      audit.append(event).catch(() => undefined);
    }
    return writer;
  };
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
