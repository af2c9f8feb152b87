import type { CorpusResult } from './corpus-result.ts';

type Row = { readonly outcome: CorpusResult['outcome']; readonly code: string; count: number; readonly cpu: number[] };

/** Counts results by outcome and code, without keeping them. */
export class ResultTable {
  readonly #rows = new Map<string, Row>();

  add({ outcome, code, cpu_ms: cpu }: Pick<CorpusResult, 'outcome' | 'code' | 'cpu_ms'>): void {
    const key = `${outcome} ${code ?? ''}`;
    const row = this.#rows.get(key) ?? { outcome, code: code ?? '', count: 0, cpu: [] };
    this.#rows.set(key, row);
    row.count += 1;
    if (cpu !== null) row.cpu.push(cpu);
  }

  count(outcome?: CorpusResult['outcome']): number {
    let sum = 0;
    for (const row of this.#rows.values()) if (outcome === undefined || row.outcome === outcome) sum += row.count;
    return sum;
  }

  /** For people: sealed first, failed last, within each the most frequent code first. */
  describe(): string {
    const order = ['sealed', 'refused', 'failed'];
    const rows = [...this.#rows.values()].sort(
      (a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome) || b.count - a.count,
    );
    const width = Math.max(4, ...rows.map(({ code }) => code.length));
    const head = `outcome  ${'code'.padEnd(width)}   files  CPU ms: median     90 %     99 %      max`;
    const lines = rows.map(({ outcome, code, count, cpu }) => {
      const sorted = cpu.toSorted((a, b) => a - b);
      const [median, ...others] = [0.5, 0.9, 0.99, 1].map((share) => formatAt(sorted, share));
      return `${outcome.padEnd(8)} ${code.padEnd(width)} ${String(count).padStart(7)} ${median?.padStart(15)}${others.map((one) => one.padStart(9)).join('')}`;
    });
    return [head, ...lines, ''].join('\n');
  }
}

/** The smallest value that so large a share doesn't exceed. */
function formatAt(sorted: readonly number[], share: number): string {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return value === undefined ? '-' : value.toFixed(1);
}
