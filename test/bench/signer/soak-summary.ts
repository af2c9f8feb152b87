import type { ProcessFigures } from './process-figures.ts';

export type SoakSample = {
  readonly second: number;
  readonly daemon: readonly ProcessFigures[];
  readonly signers: readonly ProcessFigures[];
  /** Of the daemon, with the garbage of the moment. */
  readonly heapUsedKb: number;
  /** By process id, as the shim last noted them. */
  readonly openSessions: Readonly<Record<string, number>>;
};

/** A figure in the second and in the last quarter of a soak: the first quarter is warm-up. */
export type Trend = { readonly early: number; readonly late: number; readonly growth: number };

export type SoakSummary = {
  /** The least in each quarter, right after a collection: what is really held. */
  readonly daemonHeapFloorKb: Trend;
  readonly daemonResidentKb: Trend;
  readonly signersResidentKb: Trend;
  readonly daemonDescriptors: Trend;
  readonly signersDescriptors: Trend;
  readonly threads: Trend;
  readonly mostOpenSessions: number;
  readonly openSessionsAtTheEnd: readonly number[];
  readonly isFlat: boolean;
};

/** V8 collects when it likes: middle values of two quarters may differ by so much without anything growing. */
const memoryTolerance = 0.08;
/**
 * V8 keeps pages that a burst once needed (a stop of a second on a busy machine is enough), so resident memory goes up
 * in steps without anything being held; a leak shows in the floor of the heap. This bounds the steps.
 */
const daemonResidentLimitKb = 400 * 1024;
/** Connections and files come and go one by one. */
const countTolerance = 3;

/** Whether anything grew between the second and the last quarter. */
export function summarise(samples: readonly SoakSample[]): SoakSummary {
  const trend = (pick: (sample: SoakSample) => number): Trend => {
    const quarter = Math.floor(samples.length / 4);
    const early = findMiddle(samples.slice(quarter, 2 * quarter).map(pick));
    const late = findMiddle(samples.slice(-quarter).map(pick));
    return { early, late, growth: late - early };
  };
  const floor = (from: readonly SoakSample[]): number => Math.min(...from.map(({ heapUsedKb }) => heapUsedKb));
  const quarter = Math.floor(samples.length / 4);
  const [early, late] = [floor(samples.slice(quarter, 2 * quarter)), floor(samples.slice(-quarter))];
  const daemonHeapFloorKb = { early, late, growth: late - early };
  const sum = (figures: readonly ProcessFigures[], name: 'residentKb' | 'descriptors' | 'threads'): number =>
    figures.reduce((total, figure) => total + figure[name], 0);
  const daemonResidentKb = trend(({ daemon }) => sum(daemon, 'residentKb'));
  const signersResidentKb = trend(({ signers }) => sum(signers, 'residentKb'));
  const daemonDescriptors = trend(({ daemon }) => sum(daemon, 'descriptors'));
  const signersDescriptors = trend(({ signers }) => sum(signers, 'descriptors'));
  const threads = trend(({ daemon, signers }) => sum([...daemon, ...signers], 'threads'));
  const sessions = samples.flatMap(({ openSessions }) => Object.values(openSessions));
  const isFlat =
    [daemonHeapFloorKb, signersResidentKb].every((one) => one.growth <= one.early * memoryTolerance) &&
    daemonResidentKb.late <= daemonResidentLimitKb &&
    [daemonDescriptors, signersDescriptors, threads].every(({ growth }) => growth <= countTolerance) &&
    Math.max(0, ...sessions) - Math.min(...sessions, Math.max(0, ...sessions)) <= 1;
  return {
    daemonHeapFloorKb,
    daemonResidentKb,
    signersResidentKb,
    daemonDescriptors,
    signersDescriptors,
    threads,
    mostOpenSessions: Math.max(0, ...sessions),
    openSessionsAtTheEnd: Object.values(samples.at(-1)?.openSessions ?? {}),
    isFlat,
  };
}

function findMiddle(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}
