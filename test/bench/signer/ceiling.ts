import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MeasuredKey, Stand } from './stand.ts';

const run = promisify(execFile);
const folder = join(import.meta.dirname, '../ceiling');

const mechanisms: Readonly<Record<MeasuredKey, string>> = {
  'rsa-2048': 'rsa-pkcs',
  'rsa-pss-3072': 'rsa-pss',
  p256: 'ecdsa-p256',
  p384: 'ecdsa-p384',
};

/** One thread for each core: SoftHSM's work is done by them. */
const threads = 2;

/** Whose OpenSSL the module computes with: the system's, or Node's, whose symbols come first in a Node process. */
export type CeilingHost = 'system' | 'node';

/** Of the C loop: operations a second, and CPU of one in milliseconds. */
export type CeilingRate = { readonly perSecond: number; readonly cpuMs: number };

/** Operations a second that the bare module makes in a C loop: the same loop in a plain process and inside Node. */
export class Ceiling {
  readonly #stand: Stand;
  readonly #program: string;
  readonly #addon: string;

  constructor(stand: Stand) {
    this.#stand = stand;
    const source = join(folder, 'ceiling.c');
    this.#program = stand.compile([source], 'ceiling');
    const flags = ['-shared', '-fPIC', '-Dmain=ceiling_main'];
    this.#addon = stand.compile([source, join(folder, 'under-node.c')], 'ceiling.node', flags);
  }

  async measure(key: MeasuredKey, host: CeilingHost, seconds: number, verifies: boolean): Promise<CeilingRate> {
    const pin = this.#stand.home.path('user.pin');
    const words = [this.#stand.softhsm, 'service', pin, key, mechanisms[key], String(threads), String(seconds)];
    const args = verifies ? words : [...words, 'sign-only'];
    const env = this.#stand.environment;
    const script = `process.dlopen({ exports: {} }, ${JSON.stringify(this.#addon)})`;
    const { stdout } =
      host === 'system'
        ? await run(this.#program, args, { env })
        : await run(process.execPath, ['-e', script], { env: { ...env, CEILING_ARGUMENTS: args.join('\n') } });
    const said = JSON.parse(stdout) as { per_second: number; cpu_ms: number };
    return { perSecond: said.per_second, cpuMs: said.cpu_ms };
  }
}
