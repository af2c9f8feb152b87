import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { opensslExtensions } from '@sigillum/testing';
import { runLoad } from './measure-tsa.ts';
import { readOwnCpuMs } from './process-cpu.ts';
import type { Kind, Stand } from './stand.ts';

const project = join(import.meta.dirname, '..', 'dss-seal');
const jar = join(project, 'target', 'dss-seal.jar');
const source = join(project, 'src/main/java/sigillum/bench/TsaPeer.java');

/** Bouncy Castle behind the JDK's HTTP server, with a key of the same kind in memory (`TsaPeer.java`). */
export class JavaRival {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #queryFile: string;

  private constructor(child: ChildProcess, port: number, queryFile: string) {
    this.#child = child;
    this.#port = port;
    this.#queryFile = queryFile;
  }

  static async start({ pki, ca, queryFile }: Stand, kind: Kind): Promise<JavaRival> {
    if (!existsSync(jar) || statSync(source).mtimeMs > statSync(jar).mtimeMs) {
      execFileSync('mvn', ['-q', '-B', '-ntp', 'package'], { cwd: project, stdio: 'inherit' });
    }
    const tsu = pki.issue(`java-${kind}`, { key: kind, issuer: ca, extensions: opensslExtensions.tsu });
    const key = pki.path(`java-${kind}.der`);
    writeFileSync(key, tsu.privateKey.export({ type: 'pkcs8', format: 'der' }), { mode: 0o600 });
    // Without them each answer waits for the client's acknowledgement, and connections beyond 200 are closed.
    const settings = ['-Dsun.net.httpserver.nodelay=true', '-Dsun.net.httpserver.maxIdleConnections=1000'];
    const program = ['-cp', `${jar}:${join(project, 'target', 'lib')}/*`, 'sigillum.bench.TsaPeer'];
    const keys = [key, kind === 'p256' ? 'EC' : 'RSA', tsu.certificateFile, ca.certificateFile];
    const child = spawn('java', [...settings, ...program, ...keys], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the Java server ended with ${code}`))),
    ])) as [string];
    return new JavaRival(child, Number(line), queryFile);
  }

  async measure(
    load: string,
    order: { readonly inFlight: number; readonly seconds: number },
  ): Promise<{ readonly perSecond: number; readonly p99Ms: number; readonly cpuMs: number }> {
    const pid = this.#child.pid ?? 0;
    const before = readOwnCpuMs(pid);
    const report = await runLoad(load, { port: this.#port, queryFile: this.#queryFile, ...order });
    const cpuMs = (readOwnCpuMs(pid) - before) / report.granted;
    return { perSecond: report.granted / report.seconds, p99Ms: report.p99_ms, cpuMs };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
