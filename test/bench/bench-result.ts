import type { SealCost } from './cost-of-seals.ts';
import type { RawRate } from './raw-rate.ts';
import type { RivalCost } from './rivals.ts';
import type { LoadResult } from './seal-load.ts';

/** What `results/seal.json` holds. */
export type BenchResult = {
  readonly made: string;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly rawRates: readonly RawRate[];
  readonly costs: SealCost[];
  readonly loads: (LoadResult & { readonly document: string })[];
  readonly rivals: RivalCost[];
};

/** Steps as the table shows them, from those of document-service. */
const steps: readonly (readonly [string, readonly string[]])[] = [
  ['read and admit', ['admit']],
  ['prepare', ['prepare']],
  ['sign (RPC, HSM, audit line)', ['sign']],
  ['time-stamp', ['time-stamp']],
  ['assemble', ['assemble']],
  ['store (intent and outcome)', ['intent', 'outcome']],
  ['answer', ['answer']],
];

/** The result as Markdown, as it stands in the README. */
export function renderTable({ costs, loads, rivals, rawRates }: BenchResult): string {
  const names = costs.map(({ document }) => document);
  const perDocument = (label: string, pick: (cost: SealCost) => number): string =>
    row([label, ...costs.map((cost) => ms(pick(cost)))]);
  const raw = rawRates.map(({ threads, signaturesPerSecond }) => `${threads}: ${Math.round(signaturesPerSecond)}`);
  return [
    head(['CPU of a seal, ms, one in flight', ...names]),
    ...Object.keys(costs[0]?.cpuMs ?? {}).map((name) => perDocument(name, ({ cpuMs }) => cpuMs[name] ?? 0)),
    perDocument('**all**', ({ cpuMs }) => sum(Object.values(cpuMs))),
    ...[...new Set(rivals.map(({ rival }) => rival))].map((rival) =>
      row([`${rival}: its process / with our time-stamp`, ...names.map((name) => ofRival(rivals, rival, name))]),
    ),
    '',
    head(['A step, ms, one in flight: CPU of document-service / wall clock', ...names]),
    ...steps.map(([label, parts]) => row([label, ...costs.map((cost) => ofSteps(cost, parts))])),
    '',
    head(['Load', 'in flight', 'seals/s', 'p50 ms', 'p99 ms']),
    ...loads.map((load) =>
      row([load.document, String(load.inFlight), load.sealsPerSecond.toFixed(0), ms(load.p50Ms), ms(load.p99Ms)]),
    ),
    '',
    `The HSM alone, P-256 signatures per second by threads: ${raw.join(', ')}. A seal takes two of them.`,
  ].join('\n');
}

function ofSteps({ stepCpuMs, wallMs }: SealCost, parts: readonly string[]): string {
  const total = (figures: Readonly<Record<string, number>>) => ms(sum(parts.map((part) => figures[part] ?? 0)));
  return `${total(stepCpuMs)} / ${total(wallMs)}`;
}

function ofRival(rivals: readonly RivalCost[], rival: string, document: string): string {
  const found = rivals.find((cost) => cost.rival === rival && cost.document === document);
  return found === undefined ? '' : `${ms(found.cpuMs)} / ${ms(found.cpuMs + found.timeStampCpuMs)}`;
}

function head(cells: readonly string[]): string {
  return `${row(cells)}\n${row(cells.map((_cell, index) => (index === 0 ? '---' : '---:')))}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function ms(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
