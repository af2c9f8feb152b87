import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exercise } from './exercise.ts';
import { mutate } from './mutate.ts';
import { SeededRandom } from './random.ts';

/** Whether the last input ran code that no input before it ran. */
export type Coverage = { isNew(): boolean };

export type FuzzOptions = {
  readonly seed: number;
  readonly budgetMs: number;
  readonly coverage?: Coverage;
  /** Called for each input that did something else than to be read or refused. */
  readonly onFailure: (input: Uint8Array, error: unknown) => void;
  readonly onProgress?: (runs: number, pool: number) => void;
};

/** What the pool may grow to; the oldest found inputs make room. */
const largestPool = 2000;
/** An input that takes longer is a finding: it isn't linear. Generous, since the machine may be busy. */
const longestRunMs = 10_000;

/** The inputs of the corpus: small files of every kind, and what was found wrong once. */
export function readCorpus(): readonly { readonly name: string; readonly bytes: Uint8Array }[] {
  const folder = join(import.meta.dirname, 'corpus');
  return readdirSync(folder)
    .toSorted()
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }));
}

/** Mutates the corpus until the time is over; the same seed makes the same inputs as long as no coverage guides it. */
export function fuzz({ seed, budgetMs, coverage, onFailure, onProgress }: FuzzOptions): {
  runs: number;
  codes: Map<string, number>;
} {
  const random = new SeededRandom(seed);
  const corpus = readCorpus().map(({ bytes }) => bytes);
  const found: Uint8Array[] = [];
  const codes = new Map<string, number>();
  const started = performance.now();
  let runs = 0;
  while (performance.now() - started < budgetMs) {
    const pool = [...corpus, ...found];
    for (let round = 0; round < 200; round++) {
      const input = mutate(random.pick(random.once(2) && found.length > 0 ? found : corpus), pool, random);
      const before = performance.now();
      try {
        const code = exercise(input);
        codes.set(code, (codes.get(code) ?? 0) + 1);
        const took = performance.now() - before;
        if (took > longestRunMs) throw new Error(`reading ${input.length} bytes took ${Math.round(took)} ms`);
      } catch (error) {
        onFailure(input, error);
      }
      runs++;
      // without coverage, what can be opened leads further than what can't
      if (coverage?.isNew() ?? (codes.get('read') ?? 0) > found.length * 40) keep(found, input);
    }
    onProgress?.(runs, found.length);
  }
  return { runs, codes };
}

function keep(found: Uint8Array[], input: Uint8Array): void {
  if (found.length >= largestPool) found.shift();
  found.push(input);
}
