import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `what`: initialize, initialize-locking, login, logout, fault, finalize. */
export type ShimEvent = { readonly pid: number; readonly what: string; readonly sessions: number };

/**
 * A PKCS#11 module in front of another one that breaks on demand (`fault-shim.c` says how): latency, return codes at
 * the n-th call, hangs, death, wrong signatures. Faults are switched while the processes run, for all or for one.
 */
export class FaultShim {
  /** The module to load. */
  readonly module: string;
  readonly #control: string;
  readonly #trace: string;
  readonly #realModule: string;
  readonly #ownRules = new Set<number>();

  /** Builds the shim with gcc in a folder of the test's own. */
  constructor(directory: string, realModule: string) {
    this.module = join(directory, 'fault-shim.so');
    this.#control = join(directory, 'faults');
    this.#trace = join(directory, 'shim-trace');
    this.#realModule = realModule;
    const source = join(import.meta.dirname, 'fault-shim.c');
    const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror'];
    execFileSync('gcc', [...flags, '-o', this.module, source, '-ldl', '-lpthread'], { stdio: 'pipe' });
    writeFileSync(this.#trace, '');
  }

  /** What the processes that load the shim need in their environment. */
  get environment(): Readonly<Record<string, string>> {
    return {
      SIGILLUM_SHIM_MODULE: this.#realModule,
      SIGILLUM_SHIM_FAULTS: this.#control,
      SIGILLUM_SHIM_TRACE: this.#trace,
    };
  }

  /** What the shim noted so far: each start, login, logout, returned fault and end, with the open sessions. */
  readTrace(): readonly ShimEvent[] {
    return readFileSync(this.#trace, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [pid, what = '', sessions] = line.split(' ');
        return { pid: Number(pid), what, sessions: Number(sessions) };
      });
  }

  /** The faults from now on: of all processes, or of one, whose own rules go before those of all. */
  set(rules: readonly string[], pid?: number): void {
    const path = pid === undefined ? this.#control : `${this.#control}.${pid}`;
    if (pid !== undefined) this.#ownRules.add(pid);
    writeFileSync(`${path}.new`, `${rules.join('\n')}\n`);
    renameSync(`${path}.new`, path);
  }

  /** No faults for anybody. */
  clear(): void {
    rmSync(this.#control, { force: true });
    for (const pid of this.#ownRules) rmSync(`${this.#control}.${pid}`, { force: true });
    this.#ownRules.clear();
  }
}
