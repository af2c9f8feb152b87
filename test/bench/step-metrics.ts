/** Milliseconds that document-service has spent in each step of all its seals so far, and how many there were. */
export type StepTotals = ReadonlyMap<string, { readonly ms: number; readonly count: number }>;

/** Reads the histogram `seal_step_seconds` from a service's internal listener. */
export async function readStepTotals(internalPort: number): Promise<StepTotals> {
  const response = await fetch(`http://127.0.0.1:${internalPort}/metrics`);
  const text = await response.text();
  const totals = new Map<string, { ms: number; count: number }>();
  for (const [, kind, labels = '', value] of text.matchAll(/^seal_step_seconds_(sum|count)\{([^}]*)\} (\S+)$/gm)) {
    const step = /step="([^"]+)"/.exec(labels)?.[1];
    if (step === undefined) continue;
    const total = totals.get(step) ?? { ms: 0, count: 0 };
    if (kind === 'sum') total.ms = Number(value) * 1000;
    else total.count = Number(value);
    totals.set(step, total);
  }
  return totals;
}

/** Milliseconds of each step per seal between two readings. */
export function toMsPerSeal(before: StepTotals, after: StepTotals): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [step, { ms, count }] of after) {
    const earlier = before.get(step) ?? { ms: 0, count: 0 };
    result[step] = count === earlier.count ? 0 : (ms - earlier.ms) / (count - earlier.count);
  }
  return result;
}
