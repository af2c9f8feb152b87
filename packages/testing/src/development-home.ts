import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcessTree, type ProcessEntry, waitForEnd } from './process-table.ts';

/** What `run/ready.json` holds, as far as tests use it. */
export type ReadyFile = {
  readonly url: string;
  readonly api_key: string;
  readonly tsa_url: string;
  readonly root_certificate: string;
  readonly crls: readonly string[];
  readonly credentials: readonly string[];
};

export type ServiceName = 'document-service' | 'hash-signer' | 'tsa' | 'postgres';

const repository = join(import.meta.dirname, '../../..');
/** A first start makes RSA keys in SoftHSM; on two busy cores that can take this long. */
const startLimitMs = 120_000;

/** A development home that runs for a test, started as `npm start` starts it. */
export class DevelopmentHome {
  readonly directory: string;
  readonly port: number;
  /** All that the bootstrap has printed so far. */
  output = '';
  #child: ChildProcess | undefined;

  private constructor(directory: string, port: number) {
    this.directory = directory;
    this.port = port;
  }

  /** Makes a new home in a temporary folder and starts it. */
  static async start(): Promise<DevelopmentHome> {
    const home = new DevelopmentHome(mkdtempSync(join(tmpdir(), 'sigillum-home-')), await findFreePortPair());
    await home.startAgain();
    return home;
  }

  get readyPath(): string {
    return join(this.directory, 'run/ready.json');
  }

  get ready(): ReadyFile {
    return JSON.parse(readFileSync(this.readyPath, 'utf8')) as ReadyFile;
  }

  /** The pid of the bootstrap, what `npm start` executes. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the home is not running');
    return this.#child.pid;
  }

  /** Starts a home that was stopped or killed, and waits until it is ready. */
  async startAgain(): Promise<void> {
    const child = spawn('node', ['scripts/start.mjs', '--home', this.directory, '--port', String(this.port)], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.output = '';
    child.stdout.on('data', (data) => (this.output += String(data)));
    child.stderr.on('data', (data) => (this.output += String(data)));
    const end = Date.now() + startLimitMs;
    // The last lines are printed after ready.json is there; tests read both.
    while (!(existsSync(this.readyPath) && /reset/i.test(this.output))) {
      if (child.exitCode !== null || Date.now() > end)
        throw new Error(`the home did not start (exit ${child.exitCode}):\n${this.output}`);
      await pause(50);
    }
  }

  /** Every process of the home, the bootstrap first. */
  processes(): readonly ProcessEntry[] {
    return findProcessTree([this.pid]);
  }

  /** The process of a service: the one whose parent is not itself of that service. */
  findService(name: ServiceName): ProcessEntry {
    const marks = {
      'document-service': /document-service\/src\/main\.ts/,
      'hash-signer': /hash-signer\/src\/main\.ts/,
      tsa: /packages\/tsa\/src\/main\.ts/,
      postgres: /bin\/postgres /,
    };
    const all = this.processes().filter(
      (entry) => marks[name].test(entry.command) && !/^\S*(setpriv|unshare)/.test(entry.command),
    );
    const found = all.find((entry) => !all.some((other) => other.pid === entry.parent));
    if (!found) throw new Error(`no process of ${name}`);
    return found;
  }

  /** hash-signer's signer processes. */
  findSigners(): readonly ProcessEntry[] {
    const parent = this.findService('hash-signer').pid;
    return findProcessTree([parent]).filter((entry) => entry.pid !== parent);
  }

  /** Asks the bootstrap to stop and waits until every process is gone; returns what is left. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', milliseconds = 30_000): Promise<readonly ProcessEntry[]> {
    const pids = this.processes().map((entry) => entry.pid);
    this.#child?.kill(signal);
    return await waitForEnd(pids, milliseconds);
  }

  /** Ends whatever runs and deletes the home. */
  async remove(): Promise<void> {
    const left = this.#child?.exitCode === null ? await this.stop() : [];
    for (const entry of left) process.kill(entry.pid, 'SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A port whose successor is free too: the home's base port and that of its TSA. */
async function findFreePortPair(): Promise<number> {
  for (;;) {
    const first = await findFreePort(0);
    if (first < 65_535 && (await findFreePort(first + 1).catch(() => 0)) !== 0) return first;
  }
}

async function findFreePort(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
