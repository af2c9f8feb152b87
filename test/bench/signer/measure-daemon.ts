import { readOwnCpuMs } from '../tsa/process-cpu.ts';
import type { LoadReport, LoadStream } from './load.ts';
import type { DaemonTurn } from './result.ts';
import { runLoad } from './run-load.ts';
import type { Daemon, MeasuredKey, Stand } from './stand.ts';

/** Longer than anything here takes: what is measured is work, not time-outs. */
const timeoutMs = 30_000;

export type DaemonMeasurement = Omit<DaemonTurn, 'key' | 'batch' | 'inFlight' | 'ratioToSystem' | 'ratioToNode'>;

/** Load of one kind on a daemon, its rate, latencies and CPU. @throws Error when anything was refused or wrong */
export async function measureDaemon(
  stand: Stand,
  daemon: Daemon,
  order: {
    readonly key: MeasuredKey;
    readonly batch: number;
    readonly inFlight: number;
    readonly seconds: number;
  },
): Promise<DaemonMeasurement> {
  const readCpu = (): { daemon: number; signers: number } => ({
    daemon: readOwnCpuMs(daemon.pid),
    signers: daemon.signers().reduce((sum, pid) => sum + readOwnCpuMs(pid), 0),
  });
  const before = readCpu();
  const report = await loadOn(stand, daemon, order.seconds, order);
  const after = readCpu();
  const [stream] = report.streams;
  if (!stream) throw new Error('no report');
  const others = Object.keys(stream.statuses).filter((status) => status !== '200');
  if (others.length > 0 || stream.wrong > 0) {
    throw new Error(`not only signatures: ${JSON.stringify(stream)}\n${stand.readProblems(daemon.name)}`);
  }
  const per = (ms: number): number => ms / Math.max(1, stream.signatures);
  return {
    perSecond: stream.signatures / stream.seconds,
    cpuMs: {
      daemon: per(after.daemon - before.daemon),
      signers: per(after.signers - before.signers),
      generator: per(report.generatorCpuMs),
    },
    p50Ms: stream.p50Ms,
    p90Ms: stream.p90Ms,
    p99Ms: stream.p99Ms,
  };
}

/** One stream of requests from the generator. */
export function loadOn(
  stand: Stand,
  daemon: Daemon,
  seconds: number,
  order: { readonly key: MeasuredKey; readonly batch: number; readonly inFlight: number; readonly rate?: number },
): Promise<LoadReport> {
  const { key_id, algorithm, spki } = stand.home.key(order.key);
  const stream: LoadStream = {
    keyId: key_id,
    algorithm,
    spki,
    batch: order.batch,
    connections: order.inFlight,
    ...(order.rate === undefined ? {} : { rate: order.rate }),
  };
  const tlsFolder = stand.home.path('tls');
  return runLoad({ port: daemon.port, tlsFolder, client: 'document-service', seconds, timeoutMs, streams: [stream] });
}
