import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { makeBenchDocuments } from '../bench-documents.ts';
import { startBenchHome } from '../bench-home.ts';
import { pick, runSealLoad } from '../seal-load.ts';
import type { FloodResult, SealTimes } from './result.ts';

/** Connections that the flood tries to have, all of one address: more than it may. Each asks again at once. */
const floodConnections = 128;

/** Longer than the seals take; the flood is ended when they are done. */
const floodSeconds = 600;

/** Rounds of quiet, flood and quiet again, in turns; all seals of a kind are then put together. */
const rounds = 4;

/**
 * Seals in a development home of its own, in peace, while the TSA's public listener is flooded, and in peace again, in
 * turns. Two things keep the seals alive: the rate per address, and the queue of their own.
 */
export async function measureFlood(load: string, queryFile: string, count: number): Promise<FloodResult> {
  const home = await startBenchHome();
  try {
    const document = makeBenchDocuments()[0]?.bytes;
    if (document === undefined) throw new Error('there is nothing to seal');
    const port = new URL(home.tsaUrl).port;
    const seal = async (into: number[]): Promise<void> => {
      await runSealLoad({ ...home.access, document, count, inFlight: 1, onSeal: (ms) => into.push(ms) });
    };
    await seal([]);
    const [quiet, flooded, quietAgain]: [number[], number[], number[]] = [[], [], []];
    const floods: Flood[] = [];
    for (let round = 0; round < rounds; round++) {
      await seal(quiet);
      const flood = startFlood(load, port, queryFile);
      await seal(flooded);
      floods.push(await flood.stop());
      await seal(quietAgain);
    }
    const middle = (values: readonly number[]): number => {
      const sorted = values.toSorted((left, right) => left - right);
      return ((sorted[rounds / 2 - 1] ?? 0) + (sorted[rounds / 2] ?? 0)) / 2;
    };
    return {
      seals: count * rounds,
      quiet: summarise(quiet),
      flooded: summarise(flooded),
      quietAgain: summarise(quietAgain),
      floodPerSecond: middle(floods.map(({ answers, seconds }) => answers / seconds)),
      floodGrantedPerSecond: middle(floods.map(({ granted, seconds }) => granted / seconds)),
    };
  } finally {
    await home.remove();
  }
}

function summarise(durations: readonly number[]): SealTimes {
  const sorted = durations.toSorted((left, right) => left - right);
  return { p50Ms: pick(sorted, 0.5), p99Ms: pick(sorted, 0.99) };
}

type Flood = { readonly answers: number; readonly granted: number; readonly seconds: number };

function startFlood(load: string, port: string, queryFile: string): { stop(): Promise<Flood> } {
  const args = [port, queryFile, String(floodConnections), String(floodSeconds)];
  const child: ChildProcess = spawn(load, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return {
    stop: async () => {
      const closed = once(child, 'close');
      child.kill('SIGINT');
      await closed;
      return JSON.parse(said) as Flood;
    },
  };
}
