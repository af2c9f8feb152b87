import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyAuditLog } from '@sigillum/audit';
import type { LoadStream } from './load.ts';
import { type ProcessFigures, readProcessFigures } from './process-figures.ts';
import { runLoad } from './run-load.ts';
import { summarise, type SoakSample } from './soak-summary.ts';
import { type MeasuredKey, Stand } from './stand.ts';

/**
 * `npm run soak:signer -- --minutes N`: moderate load of every algorithm for as long as said, with a session error
 * injected into each signer process once a minute, and a SIGHUP every five. Memory, descriptors, threads and sessions
 * must be as they were.
 */
const at = process.argv.indexOf('--minutes');
const minutes = at === -1 ? 30 : Number(process.argv[at + 1]);
if (!(minutes > 0 && minutes <= 10_000)) throw new Error('--minutes takes a number');

const sampleMs = Math.min(10_000, (minutes * 60_000) / 20);
const faultMs = Math.min(60_000, (minutes * 60_000) / 10);
const reloadMs = Math.min(300_000, (minutes * 60_000) / 4);

/** CKR_SESSION_HANDLE_INVALID: the lane opens another session, and the digest is signed on it. */
const sessionError = 'C_Sign return 0xb3 count=1';

const say = (what: string): void => void process.stderr.write(`soak: ${what}\n`);

const stand = new Stand();
try {
  const daemon = await stand.start('soak', { viaShim: true, canary: { interval_ms: 5_000 } });
  const stream = (name: MeasuredKey, batch: number, rate: number, connections: number): LoadStream => {
    const { key_id, algorithm, spki } = stand.home.key(name);
    return { keyId: key_id, algorithm, spki, batch, rate, connections };
  };
  const load = runLoad({
    port: daemon.port,
    tlsFolder: stand.home.path('tls'),
    client: 'document-service',
    seconds: minutes * 60,
    timeoutMs: 30_000,
    streams: [
      stream('p256', 1, 40, 12),
      stream('rsa-2048', 10, 4, 6),
      stream('p384', 1, 10, 6),
      stream('rsa-pss-3072', 1, 10, 6),
    ],
  });
  const over = new AbortController();
  const ended = load.finally(() => over.abort());
  ended.catch(() => undefined);
  const started = performance.now();
  const samples: SoakSample[] = [];
  let [lastFault, lastReload] = [started, started];
  while (!over.signal.aborted) {
    await Promise.race([sleep(sampleMs), ended.catch(() => undefined)]);
    if (over.signal.aborted) break;
    const now = performance.now();
    const read = (pid: number): ProcessFigures[] => [readProcessFigures(pid)].flatMap((one) => (one ? [one] : []));
    samples.push({
      second: Math.round((now - started) / 1000),
      daemon: read(daemon.pid),
      signers: daemon.signers().flatMap(read),
      heapUsedKb: await readHeapUsedKb(daemon.internalPort),
      openSessions: readOpenSessions(),
    });
    if (now - lastFault >= faultMs) {
      lastFault = now;
      // The shim notes the number of open sessions with each fault.
      for (const pid of daemon.signers()) stand.home.shim.set([sessionError], pid);
    }
    if (now - lastReload >= reloadMs) {
      lastReload = now;
      process.kill(daemon.pid, 'SIGHUP');
    }
  }
  const report = await load;
  const metrics = await (await fetch(`http://127.0.0.1:${daemon.internalPort}/metrics`)).text();
  const exitCode = await daemon.stop();
  const finalSessions = stand.home.shim
    .readTrace()
    .filter(({ what }) => what === 'finalize')
    .map(({ sessions }) => sessions);
  const audit = await verifyAuditLog({ directory: stand.home.path('audit/soak') });
  const result = {
    made: new Date().toISOString(),
    minutes,
    machine: { processor: cpus()[0]?.model ?? '', cores: cpus().length, kernel: release(), node: process.version },
    load: report,
    injectedSessionErrors: stand.home.shim.readTrace().filter(({ what }) => what === 'fault').length,
    signerExits: metrics.split('\n').filter((line) => line.startsWith('hash_signer_signer_exits_total{')),
    exitCode,
    sessionsLeftAtTheEnd: finalSessions,
    audit: { lines: audit.segments.reduce((sum, { lines }) => sum + lines, 0), problems: audit.problems },
    summary: summarise(samples),
    samples,
  };
  const folder = join(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'soak-signer.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`${JSON.stringify({ ...result, samples: samples.length }, undefined, 2)}\n`);
  if (!result.summary.isFlat) {
    say('something grew');
    process.exitCode = 1;
  }
} finally {
  await stand.remove();
}

/** What V8 holds, garbage included, of the daemon: `nodejs_heap_size_used_bytes` and external memory. */
async function readHeapUsedKb(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const read = (name: string): number => Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return Math.round((read('nodejs_heap_size_used_bytes') + read('nodejs_external_memory_bytes')) / 1024);
}

/** Open sessions of each signer process when it last noted them. */
function readOpenSessions(): Readonly<Record<string, number>> {
  const last = new Map<string, number>();
  for (const { pid, what, sessions } of stand.home.shim.readTrace())
    if (what === 'fault') last.set(String(pid), sessions);
  return Object.fromEntries(last);
}
