/** `npm run bench:tsa -- --profile=p256:300` (key : in flight): where the tsa spends its time under load, by V8's sampling profiler. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileLoad } from './load.ts';
import { measureTsa } from './measure-tsa.ts';
import { type Kind, kinds, startStand } from './stand.ts';

type CpuProfile = {
  readonly nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/** Functions shown. */
const shown = 40;

/** Long enough that start-up is little of it. */
const seconds = 8;

/** Measures one kind of key under the profiler and prints own time by function, idle time left out. */
export async function profileTsa(order: string): Promise<void> {
  const [name, requests = '300'] = order.split(':');
  const inFlight = Number(requests);
  const kind = kinds.find((one): one is Kind => one === name);
  if (kind === undefined) throw new Error(`--profile takes ${kinds.join(' or ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-profile-'));
  try {
    const stand = await startStand({
      getNodeOptions: (one) => (one === kind ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : []),
    });
    try {
      const load = compileLoad(stand.folder);
      await measureTsa(stand, kind, load, { inFlight, seconds: 2 });
      const { tsa, cpuMs } = await measureTsa(stand, kind, load, { inFlight, seconds });
      process.stdout.write(`${kind}: ${JSON.stringify({ ...tsa, cpuMs })}\n`);
    } finally {
      await stand.remove();
    }
    for (const file of readdirSync(folder)) print(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `(program)` is what Node does outside of JavaScript: system calls of sockets and files. */
function print({ nodes, samples, timeDeltas }: CpuProfile): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const own = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (!frame || frame.functionName === '(idle)') continue;
    const where = frame.url.split('/').slice(-2).join('/');
    const name = `${frame.functionName || '(anonymous)'} ${where}:${frame.lineNumber + 1}`;
    const delta = timeDeltas[index] ?? 0;
    busy += delta;
    own.set(name, (own.get(name) ?? 0) + delta);
  }
  process.stdout.write(`${(busy / 1e6).toFixed(2)} s busy\n`);
  for (const [name, micros] of [...own].toSorted(([, left], [, right]) => right - left).slice(0, shown)) {
    process.stdout.write(`${((micros / busy) * 100).toFixed(1).padStart(5)} % ${name}\n`);
  }
}
