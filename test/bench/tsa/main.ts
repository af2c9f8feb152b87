import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { measureFlood } from './flood.ts';
import { compile, compileLoad } from './load.ts';
import { measureTsa } from './measure-tsa.ts';
import { renderTsaTable, type TsaBenchResult, type Turn } from './result.ts';
import { JavaRival } from './rival-java.ts';
import { measureOpenssl, prepareOpenssl } from './rival-openssl.ts';
import { type Kind, kinds, startStand } from './stand.ts';

const run = promisify(execFile);

/** `--quick` is for development: figures from it are no figures. */
const isQuick = process.argv.includes('--quick');
const turns = isQuick ? 1 : 5;
const seconds = isQuick ? 2 : 4;
const warmUpSeconds = isQuick ? 3 : 12;
/** Requests in flight: two full batches wait while one is signed. */
const inFlight = 300;
const mechanisms: Readonly<Record<Kind, string>> = { p256: 'ecdsa-p256', 'rsa-3072': 'rsa-pkcs' };

const say = (what: string): void => void process.stderr.write(`bench: ${what}\n`);

say('build, token, hash-signer, tsa');
const stand = await startStand();
const rivals: JavaRival[] = [];
try {
  const [ceiling, load] = [compile('../ceiling/ceiling.c', stand.folder, 'ceiling'), compileLoad(stand.folder)];
  const configurations = { p256: prepareOpenssl(stand, 'p256'), 'rsa-3072': prepareOpenssl(stand, 'rsa-3072') };

  const measureCeiling = async (kind: Kind, ...more: string[]): Promise<number> => {
    const where = [stand.module, 'bench', join(stand.folder, 'pin'), kind, mechanisms[kind], '2', String(seconds)];
    const { stdout } = await run(ceiling, [...where, ...more], { env: stand.environment });
    return (JSON.parse(stdout) as { per_second: number }).per_second;
  };
  say('warm-up');
  const java = { p256: await JavaRival.start(stand, 'p256'), 'rsa-3072': await JavaRival.start(stand, 'rsa-3072') };
  rivals.push(...Object.values(java));
  for (const kind of kinds) {
    // Until both are compiled, as they would be after a day.
    await measureTsa(stand, kind, load, { inFlight, seconds: warmUpSeconds });
    await java[kind].measure(load, { inFlight, seconds: warmUpSeconds });
  }
  const results: Turn[] = [];
  // In turns, so that what disturbs one disturbs the others.
  for (let turn = 0; turn < turns; turn++) {
    for (const kind of kinds) {
      say(`turn ${turn + 1} of ${turns}, ${kind}`);
      const signAndVerify = await measureCeiling(kind);
      const ours = await measureTsa(stand, kind, load, { inFlight, seconds });
      const signOnly = await measureCeiling(kind, 'sign-only');
      const openssl = await measureOpenssl(stand, kind, configurations[kind], seconds);
      const bouncyCastle = await java[kind].measure(load, { inFlight, seconds });
      results.push({ kind, signAndVerify, signOnly, opensslPerSecond: openssl, bouncyCastle, ...ours });
    }
  }
  say('seals under a flood of the public listener');
  const flood = await measureFlood(load, stand.queryFile, isQuick ? 40 : 200);
  const result: TsaBenchResult = {
    made: new Date().toISOString(),
    quick: isQuick,
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      kernel: release(),
      node: process.version,
    },
    openssl: execFileSync('openssl', ['version'], { encoding: 'utf8' }).trim(),
    inFlight,
    turns: results,
    flood,
  };
  const folder = join(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'tsa.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`${renderTsaTable(result)}\n`);
} finally {
  for (const rival of rivals) await rival.stop();
  await stand.remove();
}
