/** Milliseconds of wall clock and of CPU that document-service has spent in a step of all its seals, and their number. */
export type StepTotal = { ms: number; cpuMs: number; count: number };
export type StepTotals = ReadonlyMap<string, Readonly<StepTotal>>;

const none: StepTotal = { ms: 0, cpuMs: 0, count: 0 };

/** Reads `seal_step_seconds` and `seal_step_cpu_seconds_total` from a service's internal listener. */
export async function readStepTotals(internalPort: number): Promise<StepTotals> {
  const response = await fetch(`http://127.0.0.1:${internalPort}/metrics`);
  const text = await response.text();
  const totals = new Map<string, StepTotal>();
  const lines = text.matchAll(/^seal_step_(seconds_sum|seconds_count|cpu_seconds_total)\{([^}]*)\} (\S+)$/gm);
  for (const [, kind, labels = '', value] of lines) {
    const step = /step="([^"]+)"/.exec(labels)?.[1];
    if (step === undefined) continue;
    const total = totals.get(step) ?? { ...none };
    if (kind === 'seconds_sum') total.ms = Number(value) * 1000;
    else if (kind === 'seconds_count') total.count = Number(value);
    else total.cpuMs = Number(value) * 1000;
    totals.set(step, total);
  }
  return totals;
}

/** Milliseconds of each step per seal between two readings: wall clock (`ms`) or CPU (`cpuMs`). */
export function toMsPerSeal(before: StepTotals, after: StepTotals, figure: 'ms' | 'cpuMs'): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [step, total] of after) {
    const earlier = before.get(step) ?? none;
    const count = total.count - earlier.count;
    result[step] = count === 0 ? 0 : (total[figure] - earlier[figure]) / count;
  }
  return result;
}
