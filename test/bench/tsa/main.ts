import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { measureFlood } from './flood.ts';
import { readOwnCpuMs } from './process-cpu.ts';
import { renderTsaTable, type TsaBenchResult, type Turn } from './result.ts';
import { measureOpenssl, prepareOpenssl } from './rival-openssl.ts';
import { type Kind, kinds, startStand } from './stand.ts';

const run = promisify(execFile);

/** `--quick` is for development: figures from it are no figures. */
const isQuick = process.argv.includes('--quick');
const turns = isQuick ? 1 : 5;
const seconds = isQuick ? 2 : 4;
/** Requests in flight: two full batches wait while one is signed. */
const inFlight = 300;
const mechanisms: Readonly<Record<Kind, string>> = { p256: 'ecdsa-p256', 'rsa-3072': 'rsa-pkcs' };

const say = (what: string): void => void process.stderr.write(`bench: ${what}\n`);

say('build, token, hash-signer, tsa');
const stand = await startStand();
try {
  const compile = (source: string, name: string): string => {
    const out = join(stand.folder, name);
    execFileSync('gcc', ['-O2', '-o', out, join(import.meta.dirname, source), '-ldl', '-lpthread']);
    return out;
  };
  const [ceiling, load] = [compile('../ceiling/ceiling.c', 'ceiling'), compile('load.c', 'load')];
  const configurations = { p256: prepareOpenssl(stand, 'p256'), 'rsa-3072': prepareOpenssl(stand, 'rsa-3072') };

  const measureCeiling = async (kind: Kind, ...more: string[]): Promise<number> => {
    const where = [stand.module, 'bench', join(stand.folder, 'pin'), kind, mechanisms[kind], '2', String(seconds)];
    const { stdout } = await run(ceiling, [...where, ...more], { env: stand.environment });
    return (JSON.parse(stdout) as { per_second: number }).per_second;
  };
  const measureTsa = async (kind: Kind): Promise<Pick<Turn, 'tsa' | 'cpuMs'>> => {
    const { pid, port } = stand.tsas[kind];
    const signers = readFileSync(`/proc/${stand.hashSignerPid}/task/${stand.hashSignerPid}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    const read = () => ({
      tsa: readOwnCpuMs(pid),
      hashSigner: readOwnCpuMs(stand.hashSignerPid),
      signers: signers.reduce((sum, signer) => sum + readOwnCpuMs(signer), 0),
    });
    const before = read();
    const { stdout } = await run(load, [String(port), stand.queryFile, String(inFlight), String(seconds)]);
    const after = read();
    const said = JSON.parse(stdout) as {
      answers: number;
      granted: number;
      seconds: number;
      cpu_seconds: number;
      p99_ms: number;
    };
    if (said.granted !== said.answers) throw new Error(`${said.answers - said.granted} queries were not granted`);
    const per = (ms: number): number => ms / said.granted;
    return {
      tsa: { perSecond: said.granted / said.seconds, p99Ms: said.p99_ms },
      cpuMs: {
        tsa: per(after.tsa - before.tsa),
        hashSigner: per(after.hashSigner - before.hashSigner),
        signers: per(after.signers - before.signers),
        generator: per(said.cpu_seconds * 1000),
      },
    };
  };

  say('warm-up');
  for (const kind of kinds) await run(load, [String(stand.tsas[kind].port), stand.queryFile, '100', '2']);
  const results: Turn[] = [];
  // In turns, so that what disturbs one disturbs the others.
  for (let turn = 0; turn < turns; turn++) {
    for (const kind of kinds) {
      say(`turn ${turn + 1} of ${turns}, ${kind}`);
      const signAndVerify = await measureCeiling(kind);
      const ours = await measureTsa(kind);
      const signOnly = await measureCeiling(kind, 'sign-only');
      const openssl = await measureOpenssl(stand, kind, configurations[kind], seconds);
      results.push({ kind, signAndVerify, signOnly, opensslPerSecond: openssl, ...ours });
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
  await stand.remove();
}
