import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { makeBenchDocuments } from './bench-documents.ts';
import { startBenchHome } from './bench-home.ts';
import { type BenchResult, renderTable } from './bench-result.ts';
import { makeBenchToken } from './bench-token.ts';
import { measureSealCost } from './cost-of-seals.ts';
import { measureRawRate } from './raw-rate.ts';
import { ensurePython, measureRival, prepareRivals } from './rivals.ts';
import { runSealLoad } from './seal-load.ts';

/** Seals of one measurement. More for small documents: the kernel counts CPU in hundredths of a second. */
const counts = { '20 KB': 300, '200 KB': 300, '5 MB': 60 };
const warmUp = 300;
const inFlights = [1, 8, 32];
/** Documents of a rival's first run; the second has twice as many. */
const rivalCounts = { '20 KB': 60, '200 KB': 60, '5 MB': 10 };

const python = ensurePython();
const rivals = prepareRivals(python);
const documents = makeBenchDocuments();
const token = makeBenchToken(python);
const home = await startBenchHome();
try {
  say('raw rate of the HSM');
  const rawRates = measureRawRate(token);
  const result: BenchResult = {
    made: new Date().toISOString(),
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      kernel: release(),
      node: process.version,
    },
    rawRates,
    costs: [],
    loads: [],
    rivals: [],
  };
  const [small] = documents;
  if (small === undefined) throw new Error('there is nothing to seal');
  say('warm-up');
  await runSealLoad({ ...home.access, document: small.bytes, count: warmUp, inFlight: 4 });
  for (const document of documents) {
    say(`cost of a seal, ${document.name}`);
    result.costs.push(await measureSealCost(home, document, counts[document.name]));
  }
  for (const document of documents.filter(({ name }) => name !== '5 MB')) {
    for (const inFlight of inFlights) {
      say(`${inFlight} in flight, ${document.name}`);
      const count = inFlight === 1 ? 200 : 600;
      const load = await runSealLoad({ ...home.access, document: document.bytes, count, inFlight });
      result.loads.push({ document: document.name, ...load });
    }
  }
  const tsaPids = ['tsa', 'hash-signer'].flatMap((name) => home.pids[name] ?? []);
  for (const rival of rivals) {
    for (const document of documents) {
      say(`${rival.name}, ${document.name}`);
      const input = { token, tsaUrl: home.tsaUrl, tsaPids };
      result.rivals.push(measureRival(rival, input, document, rivalCounts[document.name]));
    }
  }
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'seal.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`${renderTable(result)}\n`);
} finally {
  await home.remove();
  token.remove();
}

function say(what: string): void {
  process.stderr.write(`bench: ${what}\n`);
}
