import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Coverage, fuzz } from './fuzz.ts';

/** `npm run fuzz:pdf -- --minutes N [--seed N]`: guided by which code of this package the inputs reach. */
function main(): void {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } } });
  const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed);
  const budgetMs = Number(values.minutes) * 60_000;
  if (!(budgetMs > 0) || !Number.isSafeInteger(seed)) {
    process.stderr.write('usage: npm run fuzz:pdf -- --minutes N [--seed N]\n');
    process.exitCode = 2;
    return;
  }
  const failures = new Set<string>();
  let shown = performance.now();
  process.stdout.write(`seed ${seed}\n`);
  const { runs, codes } = fuzz({
    seed,
    budgetMs,
    coverage: new PreciseCoverage(),
    onFailure: (input, error) => {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      // one file for each place in the code
      const place = stack.split('\n').slice(0, 3).join(' | ');
      if (failures.has(place)) return;
      failures.add(place);
      const name = `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}.pdf`;
      writeFileSync(join(import.meta.dirname, 'corpus', name), input);
      process.stdout.write(`FAILURE, kept as fuzz/corpus/${name}\n${stack}\n`);
    },
    onProgress: (done, pool) => {
      if (performance.now() - shown < 10_000) return;
      shown = performance.now();
      process.stdout.write(`${done} inputs, ${pool} of them reached new code\n`);
    },
  });
  const table = [...codes].toSorted((a, b) => b[1] - a[1]).map(([code, count]) => `  ${code} ${count}`);
  process.stdout.write(`${runs} inputs, ${failures.size} failures\n${table.join('\n')}\n`);
  process.exitCode = failures.size > 0 ? 1 : 0;
}

type Taken = {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
    }[];
  }[];
};

/** V8's block coverage since the last input. */
class PreciseCoverage implements Coverage {
  readonly #session = new Session();
  readonly #known = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  isNew(): boolean {
    const size = this.#known.size;
    this.#session.post('Profiler.takePreciseCoverage', (_error, taken?: Taken) => {
      for (const { url, functions } of taken?.result ?? []) {
        if (!url.includes('/packages/pdf/src/')) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            // how often, by powers of two: a loop that runs longer is new as well
            if (count > 0)
              this.#known.add(`${url}:${startOffset}:${endOffset}:${Math.min(8, Math.floor(Math.log2(count)))}`);
          }
        }
      }
    });
    return this.#known.size > size;
  }
}

main();
