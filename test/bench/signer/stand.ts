import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { waitUntil } from '../../faults/running-signer.ts';
import { type ConfigChanges, SignerHome } from '../../faults/signer-home.ts';

const daemonMain = resolve(import.meta.dirname, '../../../packages/hash-signer/src/main.ts');

/** The keys that are measured: all algorithms of the contract. */
export const measuredKeys = ['rsa-2048', 'rsa-pss-3072', 'p256', 'p384'] as const;
export type MeasuredKey = (typeof measuredKeys)[number];

/** A real hash-signer process that writes its log to a file, as it does under a service manager. */
export type Daemon = {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly internalPort: number;
  /** Its signer processes now. */
  signers(): readonly number[];
  stop(): Promise<number | null>;
};

/** A token with keys of all kinds, TLS identities, and daemons over them, in a temporary folder. */
export class Stand {
  readonly home = new SignerHome();
  readonly #children: ChildProcess[] = [];

  /** The module itself, without the shim that the home puts in front of it. */
  get softhsm(): string {
    return this.home.shim.environment['SIGILLUM_SHIM_MODULE'] ?? '';
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, SOFTHSM2_CONF: this.home.path('softhsm2.conf') };
  }

  get folder(): string {
    return this.home.directory;
  }

  /** On the bare module, as in production; `viaShim` where latency or faults are wanted. */
  async start(
    name: string,
    changes: ConfigChanges & { viaShim?: boolean; nodeOptions?: readonly string[] } = {},
  ): Promise<Daemon> {
    const { viaShim = false, nodeOptions = [], ...rest } = changes;
    const profile = resolve(import.meta.dirname, '../../../hsm/profiles/softhsm.yaml');
    const bare = { module: this.softhsm, softhsm_conf: 'softhsm2.conf', profile };
    await this.home.writeConfig(name, viaShim ? rest : { pkcs11: bare, ...rest });
    const file = this.home.path(`${name}.yaml`);
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<'listen' | 'internal', { port: number }>;
    const log = openSync(this.home.path(`${name}.log`), 'a');
    const child = spawn(process.execPath, ['--conditions=source', ...nodeOptions, daemonMain, '--config', file], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#children.push(child);
    const pid = child.pid ?? 0;
    const isReady = async () => {
      if (child.exitCode !== null) throw new Error(readFileSync(this.home.path(`${name}.log`), 'utf8'));
      const answer = await fetch(`http://127.0.0.1:${config.internal.port}/readyz`).catch(() => undefined);
      return answer?.ok === true && listChildren(pid).length >= 2;
    };
    await waitUntil(`${name} ready`, isReady);
    return {
      name,
      pid,
      port: config.listen.port,
      internalPort: config.internal.port,
      signers: () => listChildren(pid),
      stop: async () => {
        if (child.exitCode === null && child.signalCode === null) {
          const ended = once(child, 'exit');
          child.kill('SIGTERM');
          await ended;
        }
        return child.exitCode;
      },
    };
  }

  /** What a daemon logged besides its requests, the newest last. */
  readProblems(name: string): string {
    const lines = readFileSync(this.home.path(`${name}.log`), 'utf8').split('\n');
    return lines
      .filter((line) => !line.includes('"message":"request"'))
      .slice(-10)
      .join('\n');
  }

  /** Compiles a C source of the bench with gcc. */
  compile(sources: readonly string[], name: string, flags: readonly string[] = []): string {
    const out = join(this.folder, name);
    execFileSync('gcc', ['-O2', ...flags, '-o', out, ...sources, '-ldl', '-lpthread']);
    return out;
  }

  async remove(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.home.remove();
  }
}

/** Direct children of a process that only ever has signer processes as children. */
function listChildren(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}
