/**
 * `npm run bench:signer -- --profile=KEY:BATCH:IN_FLIGHT`: where the daemon and its signer processes spend their time,
 * by V8's sampling profiler. Own time of the functions that have most of it, idle time left out.
 */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureDaemon } from './measure-daemon.ts';
import { type MeasuredKey, measuredKeys, Stand } from './stand.ts';

type CpuProfile = {
  readonly nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/** Functions shown of each process. */
const shown = 28;

/** Measures one shape of load under the profiler and prints a table for each process. */
export async function profileDaemon(order: string): Promise<void> {
  const [name, batch, inFlight] = order.split(':');
  const key = measuredKeys.find((one): one is MeasuredKey => one === name);
  if (!key) throw new Error(`--profile takes ${measuredKeys.join(', ')} : digests : in flight`);
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-profile-'));
  const stand = new Stand();
  try {
    const daemon = await stand.start('profile', {
      nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${folder}`],
      limits: { queue_per_purpose: 10_000, max_queue_ms: 60_000, pending_per_client: 10_000 },
    });
    const shape = { key, batch: Number(batch), inFlight: Number(inFlight), seconds: 8 };
    const { perSecond, cpuMs } = await measureDaemon(stand, daemon, shape);
    process.stdout.write(`${order}: ${perSecond.toFixed(0)}/s, CPU per signature ${JSON.stringify(cpuMs)}\n`);
    await daemon.stop();
    for (const file of readdirSync(folder))
      print(file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile);
  } finally {
    await stand.remove();
  }
}

function print(file: string, { nodes, samples, timeDeltas }: CpuProfile): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const own = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (!frame || frame.functionName === '(idle)' || frame.functionName === '(program)') continue;
    const where = frame.url.split('/').slice(-2).join('/');
    const name = `${frame.functionName || '(anonymous)'} ${where}:${frame.lineNumber + 1}`;
    const delta = timeDeltas[index] ?? 0;
    busy += delta;
    own.set(name, (own.get(name) ?? 0) + delta);
  }
  const sorted = [...own].toSorted(([, left], [, right]) => right - left).slice(0, shown);
  process.stdout.write(`\n${file}: ${(busy / 1e6).toFixed(2)} s of JavaScript\n`);
  for (const [name, micros] of sorted)
    process.stdout.write(`${((micros / busy) * 100).toFixed(1).padStart(5)} % ${name}\n`);
}
