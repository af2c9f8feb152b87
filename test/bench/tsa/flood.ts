import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { makeBenchDocuments } from '../bench-documents.ts';
import { startBenchHome } from '../bench-home.ts';
import { runSealLoad } from '../seal-load.ts';
import type { FloodResult } from './result.ts';

/** Connections that the flood tries to have, all of one address: more than it may. Each asks again at once. */
const floodConnections = 128;

/** Longer than the seals take; the flood is ended when they are done. */
const floodSeconds = 600;

/** Rounds of quiet and flood in turns; all quiet seals and all flooded ones are then put together. */
const rounds = 4;

/**
 * Seals in a development home of its own, first in peace and then while the TSA's public listener is flooded, in turns.
 * Two things keep the seals alive: the rate per address, and the queue of their own.
 */
export async function measureFlood(load: string, queryFile: string, count: number): Promise<FloodResult> {
  const home = await startBenchHome();
  try {
    const document = makeBenchDocuments()[0]?.bytes;
    if (document === undefined) throw new Error('there is nothing to seal');
    const port = new URL(home.tsaUrl).port;
    const seal = (seals: number) => runSealLoad({ ...home.access, document, count: seals, inFlight: 1 });
    await seal(count);
    const quiet: Percentiles[] = [];
    const flooded: Percentiles[] = [];
    const floods: Flood[] = [];
    for (let round = 0; round < rounds; round++) {
      quiet.push(await seal(count));
      const flood = startFlood(load, port, queryFile);
      flooded.push(await seal(count));
      floods.push(await flood.stop());
    }
    const middle = (values: readonly number[]): number => {
      const sorted = values.toSorted((left, right) => left - right);
      return ((sorted[rounds / 2 - 1] ?? 0) + (sorted[rounds / 2] ?? 0)) / 2;
    };
    return {
      seals: count * rounds,
      quietP50Ms: middle(quiet.map(({ p50Ms }) => p50Ms)),
      quietP99Ms: middle(quiet.map(({ p99Ms }) => p99Ms)),
      floodedP50Ms: middle(flooded.map(({ p50Ms }) => p50Ms)),
      floodedP99Ms: middle(flooded.map(({ p99Ms }) => p99Ms)),
      floodPerSecond: middle(floods.map(({ answers, seconds }) => answers / seconds)),
      floodGrantedPerSecond: middle(floods.map(({ granted, seconds }) => granted / seconds)),
    };
  } finally {
    await home.remove();
  }
}

type Percentiles = { readonly p50Ms: number; readonly p99Ms: number };
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
