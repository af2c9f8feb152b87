import type { CeilingRate } from './ceiling.ts';
import type { MeasuredKey } from './stand.ts';

/** One turn's measurement of the C loop, operations a second. */
export type CeilingTurn = {
  readonly key: MeasuredKey;
  readonly batch: number;
  readonly system: CeilingRate;
  readonly node: CeilingRate;
};

/** One turn of the daemon. CPU in milliseconds per signature. */
export type DaemonTurn = {
  readonly key: MeasuredKey;
  readonly batch: number;
  readonly inFlight: number;
  readonly perSecond: number;
  /** Of the C loop that signs and verifies, measured right before. */
  readonly ratioToSystem: number;
  readonly ratioToNode: number;
  readonly cpuMs: { readonly daemon: number; readonly signers: number; readonly generator: number };
  /** Of a request. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
};

export type SlowHsmTurn = {
  readonly latencyMs: number;
  readonly lanes: number;
  readonly batch: number;
  readonly inFlight: number;
  readonly perSecond: number;
  /** To lanes / latency. */
  readonly ratio: number;
  readonly p99Ms: number;
};

export type OverloadTurn = {
  readonly what: string;
  /** Requests a second at the most, answered. */
  readonly capacity: number;
  readonly at70: { readonly p50Ms: number; readonly p99Ms: number; readonly refused: number };
  readonly atTwice: {
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly acceptedPerSecond: number;
    readonly refused: number;
    readonly notSent: number;
  };
};

export type SignerBenchResult = {
  readonly made: string;
  readonly quick: boolean;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly kernel: string;
    readonly node: string;
    readonly loadBefore: number;
  };
  readonly openssl: { readonly system: string; readonly node: string };
  readonly signOnly: readonly { readonly key: MeasuredKey; readonly system: CeilingRate; readonly node: CeilingRate }[];
  readonly ceilings: readonly CeilingTurn[];
  readonly turns: readonly DaemonTurn[];
  readonly slowHsm: readonly SlowHsmTurn[];
  readonly overload: readonly OverloadTurn[];
};

const middle = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const head = (cells: readonly string[]): string =>
  `${row(cells)}\n${row(cells.map((_, index) => (index === 0 ? '---' : '---:')))}`;
const ms = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toFixed(2));

/** The tables of the README: the middle of all turns. */
export function renderSignerTable(result: SignerBenchResult): string {
  const { turns, ceilings, signOnly, slowHsm, overload } = result;
  const keys = [...new Set(turns.map(({ key }) => key))];
  const of = (key: MeasuredKey, batch: number, inFlight: number): DaemonTurn[] =>
    turns.filter((turn) => turn.key === key && turn.batch === batch && turn.inFlight === inFlight);
  const pick = (found: readonly DaemonTurn[], value: (turn: DaemonTurn) => number): number => middle(found.map(value));
  const cells = [...new Set(turns.map(({ batch, inFlight }) => `${batch}/${inFlight}`))].map((cell) => {
    const [batch = 0, inFlight = 0] = cell.split('/').map(Number);
    return { batch, inFlight };
  });
  const ceilingOf = (key: MeasuredKey, host: 'system' | 'node'): number =>
    middle(ceilings.filter((one) => one.key === key).map((one) => one[host].perSecond));
  const onlyOf = (key: MeasuredKey, host: 'system' | 'node'): number =>
    middle(signOnly.filter((one) => one.key === key).map((one) => one[host].perSecond));
  const cpuOf = (key: MeasuredKey, host: 'system' | 'node'): string =>
    middle(ceilings.filter((one) => one.key === key).map((one) => one[host].cpuMs)).toFixed(3);
  const rate = (value: number): string => value.toFixed(0);
  return [
    head(['C loop on the module, two threads, operations/s', ...keys]),
    row(['signs and verifies, the system’s OpenSSL', ...keys.map((key) => rate(ceilingOf(key, 'system')))]),
    row(['signs and verifies, under Node', ...keys.map((key) => rate(ceilingOf(key, 'node')))]),
    row(['signs only, the system’s OpenSSL', ...keys.map((key) => rate(onlyOf(key, 'system')))]),
    row(['signs only, under Node', ...keys.map((key) => rate(onlyOf(key, 'node')))]),
    row([
      'CPU of signing and verifying, ms, system / Node',
      ...keys.map((key) => `${cpuOf(key, 'system')} / ${cpuOf(key, 'node')}`),
    ]),
    '',
    head(['Signatures/s; ratio to the system’s / to Node’s ceiling: digests × in flight', ...keys]),
    ...cells.map(({ batch, inFlight }) =>
      row([
        `${batch} × ${inFlight}`,
        ...keys.map((key) => {
          const found = of(key, batch, inFlight);
          const ratios = [pick(found, (turn) => turn.ratioToSystem), pick(found, (turn) => turn.ratioToNode)];
          return `${rate(pick(found, (turn) => turn.perSecond))}; ${ratios.map((one) => one.toFixed(2)).join(' / ')}`;
        }),
      ]),
    ),
    '',
    head(['CPU per signature, ms: daemon + signer processes + generator', ...keys]),
    ...cells.map(({ batch, inFlight }) =>
      row([
        `${batch} × ${inFlight}`,
        ...keys.map((key) => {
          const found = of(key, batch, inFlight);
          const parts = [
            pick(found, (turn) => turn.cpuMs.daemon),
            pick(found, (turn) => turn.cpuMs.signers),
            pick(found, (turn) => turn.cpuMs.generator),
          ];
          return parts.map((part) => part.toFixed(3)).join(' + ');
        }),
      ]),
    ),
    '',
    head(['Latency of a request, ms: p50 / p90 / p99', ...keys]),
    ...cells.map(({ batch, inFlight }) =>
      row([
        `${batch} × ${inFlight}`,
        ...keys.map((key) => {
          const found = of(key, batch, inFlight);
          const parts = [
            pick(found, (turn) => turn.p50Ms),
            pick(found, (turn) => turn.p90Ms),
            pick(found, (turn) => turn.p99Ms),
          ];
          return parts.map(ms).join(' / ');
        }),
      ]),
    ),
    '',
    head(['An HSM that takes 10 ms', 'lanes', 'digests × in flight', 'signatures/s', 'of lanes / latency', 'p99 ms']),
    ...[...new Set(slowHsm.map(({ lanes, batch }) => `${lanes}/${batch}`))].map((cell) => {
      const found = slowHsm.filter(({ lanes, batch }) => `${lanes}/${batch}` === cell);
      const [first] = found;
      if (first === undefined) return '';
      const { latencyMs, lanes, batch, inFlight } = first;
      return row([
        `P-256, ${latencyMs} ms`,
        String(lanes),
        `${batch} × ${inFlight}`,
        rate(middle(found.map(({ perSecond }) => perSecond))),
        middle(found.map(({ ratio }) => ratio)).toFixed(3),
        ms(middle(found.map(({ p99Ms }) => p99Ms))),
      ]);
    }),
    '',
    head([
      'Overload',
      'capacity/s',
      'p99 at 70 %, ms',
      'p99 of accepted at 200 %, ms',
      'ratio',
      'accepted/s',
      'refused',
    ]),
    ...[...new Set(overload.map(({ what }) => what))].map((what) => {
      const found = overload.filter((one) => one.what === what);
      const of = (value: (turn: OverloadTurn) => number): number => middle(found.map(value));
      return row([
        what,
        rate(of(({ capacity }) => capacity)),
        ms(of(({ at70 }) => at70.p99Ms)),
        ms(of(({ atTwice }) => atTwice.p99Ms)),
        of(({ at70, atTwice }) => atTwice.p99Ms / at70.p99Ms).toFixed(2),
        rate(of(({ atTwice }) => atTwice.acceptedPerSecond)),
        rate(of(({ atTwice }) => atTwice.refused)),
      ]);
    }),
  ].join('\n');
}
