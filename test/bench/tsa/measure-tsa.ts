import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { readOwnCpuMs } from './process-cpu.ts';
import type { Turn } from './result.ts';
import type { Kind, Stand } from './stand.ts';

const run = promisify(execFile);

/** What `load.c` says at its end. */
export type LoadReport = {
  readonly answers: number;
  readonly granted: number;
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Connections that the server has ended. */
  readonly closed: number;
};

/** Runs the generator against a port of this machine; every answer must be granted. */
export async function runLoad(
  load: string,
  order: { readonly port: number; readonly queryFile: string; readonly inFlight: number; readonly seconds: number },
): Promise<LoadReport> {
  const { port, queryFile, inFlight, seconds } = order;
  const { stdout } = await run(load, [String(port), queryFile, String(inFlight), String(seconds)]);
  const report = JSON.parse(stdout) as LoadReport;
  if (report.granted !== report.answers) {
    throw new Error(`${report.answers - report.granted} queries were not granted`);
  }
  if (report.closed > 0) throw new Error(`${report.closed} connections were closed`);
  return report;
}

/** Tokens per second, and processor time per token of each process that has a part in it. */
export async function measureTsa(
  stand: Stand,
  kind: Kind,
  load: string,
  order: { readonly inFlight: number; readonly seconds: number },
): Promise<Pick<Turn, 'tsa' | 'cpuMs'>> {
  const { pid, port } = stand.tsas[kind];
  const signers = readFileSync(`/proc/${stand.hashSignerPid}/task/${stand.hashSignerPid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const read = () => ({
    tsa: readOwnCpuMs(pid),
    hashSigner: readOwnCpuMs(stand.hashSignerPid),
    signers: signers.reduce((sum, signer) => sum + readOwnCpuMs(signer), 0),
  });
  const before = read();
  const report = await runLoad(load, { port, queryFile: stand.queryFile, ...order });
  const after = read();
  const per = (ms: number): number => ms / report.granted;
  return {
    tsa: { perSecond: report.granted / report.seconds, p50Ms: report.p50_ms, p99Ms: report.p99_ms },
    cpuMs: {
      tsa: per(after.tsa - before.tsa),
      hashSigner: per(after.hashSigner - before.hashSigner),
      signers: per(after.signers - before.signers),
      generator: per(report.cpu_seconds * 1000),
    },
  };
}
