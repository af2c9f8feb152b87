import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listProcesses } from '@sigillum/testing';

const main = resolve(import.meta.dirname, '../../packages/hash-signer/src/main.ts');

/** Generous: the machine may be busy. Nothing here measures speed. */
const hangSeconds = 60;

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return address.port;
}

export async function waitUntil(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + hangSeconds * 1000;
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`waited too long for: ${what}`);
    await sleep(25);
  }
}

/** A hash-signer process, from its configuration. */
export class RunningSigner {
  readonly child: ChildProcess;
  readonly port: number;
  readonly internalPort: number;
  readonly auditDirectory: string;
  readonly instance: string;
  readonly #chunks: string[] = [];

  constructor(configPath: string, prefix: readonly string[] = []) {
    const config = JSON.parse(readFileSync(configPath, 'utf8')) as {
      instance: string;
      listen: { port: number };
      internal: { port: number };
      audit: { directory: string };
    };
    this.port = config.listen.port;
    this.internalPort = config.internal.port;
    this.instance = config.instance;
    this.auditDirectory = resolve(dirname(configPath), config.audit.directory);
    const [command, ...args] = [...prefix, process.execPath, '--conditions=source', main, '--config', configPath];
    this.child = spawn(command, [...args, '--lifeline'], { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#chunks.push(chunk.toString()));
    }
  }

  /** Everything that it and its signer processes wrote. */
  get log(): string {
    return this.#chunks.join('');
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('not started');
    return this.child.pid;
  }

  /** Its signer processes. */
  signers(): number[] {
    return listProcesses()
      .filter(({ parent, command }) => parent === this.child.pid && command.includes('signer/main'))
      .map(({ pid }) => pid);
  }

  async isReady(): Promise<boolean> {
    return (await fetch(`http://127.0.0.1:${this.internalPort}/readyz`).catch(() => undefined))?.ok === true;
  }

  async waitUntilReady(signers = 1): Promise<void> {
    await waitUntil(`${this.instance} ready: ${this.log}`, async () => {
      if (this.child.exitCode !== null) throw new Error(`the daemon ended: ${this.log}`);
      return (await this.isReady()) && (await this.metric('hash_signer_usable_signers')) >= signers;
    });
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.internalPort}/metrics`)).text();
  }

  /** The sum of a metric's samples whose labels hold all of `labels`; 0 when there are none. */
  async metric(name: string, ...labels: readonly string[]): Promise<number> {
    const lines = (await this.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
    return lines
      .filter((line) => labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** SIGHUP; resolves when `what` was read again, well or not (its label in the metric of reloads). */
  async reload(what: string): Promise<void> {
    const label = `what="${what}"`;
    const before = await this.metric('hash_signer_reloads_total', label);
    this.child.kill('SIGHUP');
    await waitUntil(`a reload of ${what}`, async () => {
      return (await this.metric('hash_signer_reloads_total', label)) > before;
    });
  }

  async waitForExit(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }

  /** As an operator does. Answers the exit code. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return await this.waitForExit();
  }

  async kill(): Promise<void> {
    if (this.child.pid === undefined) return;
    for (const pid of this.signers()) this.#signal(pid);
    this.child.kill('SIGKILL');
    await this.waitForExit();
  }

  #signal(pid: number): void {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone already
    }
  }
}
