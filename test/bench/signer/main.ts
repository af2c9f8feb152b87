import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { Ceiling } from './ceiling.ts';
import { measureDaemon } from './measure-daemon.ts';
import { measureOverload } from './measure-overload.ts';
import { measureSlowHsm } from './measure-slow-hsm.ts';
import { type CeilingTurn, type DaemonTurn, renderSignerTable, type SignerBenchResult } from './result.ts';
import { measuredKeys, Stand } from './stand.ts';

/** `--quick` is for development: figures from it are no figures. */
const isQuick = process.argv.includes('--quick');
const wantedTurns = Number(
  process.argv.find((argument) => argument.startsWith('--turns='))?.slice('--turns='.length) ?? 3,
);
const turns = isQuick ? 1 : wantedTurns;
const seconds = isQuick ? 1 : 2;
const ceilingSeconds = isQuick ? 0.5 : 1;
const batches = [1, 10, 100];
const inFlights = [1, 16, 64];
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);

const say = (what: string): void => void process.stderr.write(`bench: ${what}\n`);

const loadBefore = loadavg()[0] ?? 0;
say('token, daemon, ceiling');
const stand = new Stand();
try {
  const ceiling = new Ceiling(stand);
  // Rates are measured with room for 64 batches of 100; what the bounds do is measured below.
  const daemon = await stand.start('bench', {
    limits: { queue_per_purpose: 10_000, max_queue_ms: 60_000, pending_per_client: 10_000 },
  });
  say('warm-up');
  for (const key of measuredKeys) await measureDaemon(stand, daemon, { key, batch: 10, inFlight: 16, seconds });
  const ceilings: CeilingTurn[] = [];
  const signOnly: SignerBenchResult['signOnly'][number][] = [];
  const measured: DaemonTurn[] = [];
  for (let turn = 0; turn < (only === undefined || only === 'rates' ? turns : 0); turn += 1) {
    // In turns, so that what disturbs one disturbs the others.
    for (const key of measuredKeys) {
      say(`turn ${turn + 1} of ${turns}, ${key}`);
      signOnly.push({
        key,
        system: await ceiling.measure(key, 'system', ceilingSeconds, false),
        node: await ceiling.measure(key, 'node', ceilingSeconds, false),
      });
      for (const batch of batches) {
        const system = await ceiling.measure(key, 'system', ceilingSeconds, true);
        const node = await ceiling.measure(key, 'node', ceilingSeconds, true);
        ceilings.push({ key, batch, system, node });
        for (const inFlight of inFlights) {
          const ours = await measureDaemon(stand, daemon, { key, batch, inFlight, seconds });
          const { perSecond } = ours;
          measured.push({
            key,
            batch,
            inFlight,
            ...ours,
            ratioToSystem: perSecond / system.perSecond,
            ratioToNode: perSecond / node.perSecond,
          });
        }
      }
    }
  }
  await daemon.stop();
  const slowHsm = only === undefined || only === 'slow' ? await measureSlowHsm(stand, { turns, seconds, say }) : [];
  const overload =
    only === undefined || only === 'overload' ? await measureOverload(stand, { turns, seconds: seconds * 2, say }) : [];
  const result: SignerBenchResult = {
    made: new Date().toISOString(),
    quick: isQuick,
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      kernel: release(),
      node: process.version,
      loadBefore,
    },
    openssl: {
      system: execFileSync('openssl', ['version'], { encoding: 'utf8' }).trim(),
      node: process.versions.openssl ?? '',
    },
    signOnly,
    ceilings,
    turns: measured,
    slowHsm,
    overload,
  };
  if (!isQuick && only === undefined) {
    const folder = join(import.meta.dirname, '../results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'signer.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  }
  process.stdout.write(`${renderSignerTable(result)}\n`);
} finally {
  await stand.remove();
}
