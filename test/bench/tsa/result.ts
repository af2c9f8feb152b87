import type { Kind } from './stand.ts';
import { kinds } from './stand.ts';

/** What was measured of one kind of key, one after the other. */
export type Turn = {
  readonly kind: Kind;
  /** The module alone, two threads, per second. */
  readonly signAndVerify: number;
  readonly signOnly: number;
  readonly tsa: { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };
  /** CPU per token in milliseconds, by process. `signers` is the HSM's work and its verification. */
  readonly cpuMs: {
    readonly tsa: number;
    readonly hashSigner: number;
    readonly signers: number;
    readonly generator: number;
  };
  readonly opensslPerSecond: number;
  /** Key in memory; nothing is verified or recorded. CPU of its process per token. */
  readonly bouncyCastle: { readonly perSecond: number; readonly p99Ms: number; readonly cpuMs: number };
};

/** Of all seals of one kind, in all rounds. */
export type SealTimes = { readonly p50Ms: number; readonly p99Ms: number };

/** Seals, one in flight, while nobody and while somebody floods the TSA's public listener. */
export type FloodResult = {
  /** Of each of the three. */
  readonly seals: number;
  readonly quiet: SealTimes;
  readonly flooded: SealTimes;
  /** The same as `quiet`, once more: how far the two are apart is what the figures are worth. */
  readonly quietAgain: SealTimes;
  /** Requests of the flood, and how many of them got a token. */
  readonly floodPerSecond: number;
  readonly floodGrantedPerSecond: number;
};

/** What `results/tsa.json` holds. */
export type TsaBenchResult = {
  readonly made: string;
  readonly quick: boolean;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly openssl: string;
  readonly inFlight: number;
  readonly turns: readonly Turn[];
  readonly flood: FloodResult;
};

/** The result as Markdown; ratios are paired within a turn, and the middle one of all turns is shown. */
export function renderTsaTable({ turns, flood }: TsaBenchResult): string {
  const of = (kind: Kind, pick: (turn: Turn) => number): number =>
    median(turns.filter((turn) => turn.kind === kind).map(pick));
  const row = (label: string, pick: (turn: Turn) => number, digits: number): string =>
    `| ${[label, ...kinds.map((kind) => of(kind, pick).toFixed(digits))].join(' | ')} |`;
  return [
    `| | ${kinds.join(' | ')} |`,
    '|---|---:|---:|',
    row('tokens per second', ({ tsa }) => tsa.perSecond, 0),
    row('p99, ms', ({ tsa }) => tsa.p99Ms, 0),
    row('the module alone, signing and verifying, per second', ({ signAndVerify }) => signAndVerify, 0),
    row('**ratio to it**', ({ tsa, signAndVerify }) => tsa.perSecond / signAndVerify, 2),
    row('ratio to the module signing only', ({ tsa, signOnly }) => tsa.perSecond / signOnly, 2),
    row('CPU of tsa per token, ms', ({ cpuMs }) => cpuMs.tsa, 3),
    row("CPU of hash-signer's parent per token, ms", ({ cpuMs }) => cpuMs.hashSigner, 3),
    row('CPU of its signer processes (the signature) per token, ms', ({ cpuMs }) => cpuMs.signers, 3),
    row('CPU of the generator per token, ms', ({ cpuMs }) => cpuMs.generator, 3),
    row(
      'Bouncy Castle, key in memory, nothing verified or recorded, per second',
      (turn) => turn.bouncyCastle.perSecond,
      0,
    ),
    row('CPU of Bouncy Castle per token, ms', (turn) => turn.bouncyCastle.cpuMs, 3),
    row('openssl ts -reply, two processes at a time, per second', ({ opensslPerSecond }) => opensslPerSecond, 0),
    '',
    `Seals, one in flight (${flood.seals} each): ${say(flood.quiet)}; while the public listener gets ${flood.floodPerSecond.toFixed(0)} requests/s (${flood.floodGrantedPerSecond.toFixed(0)} granted): ${say(flood.flooded)}; in peace again: ${say(flood.quietAgain)}.`,
  ].join('\n');
}

const say = ({ p50Ms, p99Ms }: SealTimes): string => `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
