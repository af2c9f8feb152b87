/** What `results/pades.json` holds. */
export type PadesResult = {
  readonly made: string;
  readonly rounds: number;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly files: readonly { readonly name: string; readonly size: number }[];
  readonly costs: readonly {
    readonly contender: string;
    /** CPU milliseconds per document by file, of each round, sorted; the middle one counts. */
    readonly cpuMs: Readonly<Record<string, readonly number[]>>;
  }[];
  /** CPU milliseconds of ours for the CMS of one document: a part of what stands in `costs`. */
  readonly cmsEncodingCpuMs: number;
};

/** Ours and the floor are the first two; what follows are peers. */
const peersFrom = 2;

/** The result as Markdown, as it stands in the README of `packages/pades`. */
export function renderPadesTable({ files, costs, cmsEncodingCpuMs }: PadesResult): string {
  const [floor, ours] = costs;
  const names = files.map(({ name }) => name);
  const ratio = (label: string, pick: (name: string) => number): string =>
    row([label, ...names.map((name) => pick(name).toFixed(2))]);
  const fastest = (name: string): number => Math.min(...costs.slice(peersFrom).map((cost) => middle(cost.cpuMs[name])));
  return [
    row(['CPU ms per document', ...names]),
    row(['---', ...names.map(() => '---:')]),
    ...costs.map(({ contender, cpuMs }) => row([contender, ...names.map((name) => ms(middle(cpuMs[name])))])),
    ratio('ours ÷ read + SHA-256 + write', (name) => middle(ours?.cpuMs[name]) / middle(floor?.cpuMs[name])),
    ratio('fastest peer ÷ ours', (name) => fastest(name) / middle(ours?.cpuMs[name])),
    '',
    `CMS encoding: ${cmsEncodingCpuMs.toFixed(3)} ms of CPU per document.`,
  ].join('\n');
}

function middle(values: readonly number[] = []): number {
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
