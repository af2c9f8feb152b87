import type { BenchDocument } from './bench-documents.ts';
import { readTreeCpuMs } from './process-cpu.ts';
import type { BenchHome } from './bench-home.ts';
import { runSealLoad } from './seal-load.ts';
import { readStepTotals, toMsPerSeal } from './step-metrics.ts';

/** What one seal costs at one in flight. */
export type SealCost = {
  readonly document: string;
  readonly bytes: number;
  readonly count: number;
  /** Milliseconds of CPU, user and system, by process; `hash-signer` with its signer processes, `postgres` with its backends. */
  readonly cpuMs: Readonly<Record<string, number>>;
  /** Milliseconds of wall clock by step, as document-service measures them. */
  readonly wallMs: Readonly<Record<string, number>>;
  /** Milliseconds of document-service's own CPU by step; what hash-signer and tsa spend in a step is in `cpuMs`. */
  readonly stepCpuMs: Readonly<Record<string, number>>;
};

const measured = ['document-service', 'hash-signer', 'tsa', 'postgres'] as const;

/** Seals one after the other, and reads before and after what the kernel and document-service have counted. */
export async function measureSealCost(home: BenchHome, document: BenchDocument, count: number): Promise<SealCost> {
  const read = (): Map<string, number> =>
    new Map(measured.map((name) => [name, readTreeCpuMs(home.pids[name] ?? Number.NaN)]));
  const stepsBefore = await readStepTotals(home.metricsPort);
  const before = read();
  await runSealLoad({ ...home.access, document: document.bytes, count, inFlight: 1 });
  const after = read();
  const stepsAfter = await readStepTotals(home.metricsPort);
  const wallMs = toMsPerSeal(stepsBefore, stepsAfter, 'ms');
  const stepCpuMs = toMsPerSeal(stepsBefore, stepsAfter, 'cpuMs');
  const cpuMs = Object.fromEntries(
    measured.map((name) => [name, ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / count]),
  );
  return { document: document.name, bytes: document.bytes.length, count, cpuMs, wallMs, stepCpuMs };
}
