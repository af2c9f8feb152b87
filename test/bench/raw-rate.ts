import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchToken } from './bench-token.ts';

/** Signatures per second that the module itself makes with a P-256 key, by threads. */
export type RawRate = { readonly threads: number; readonly signaturesPerSecond: number };

const seconds = 3;

/** Compiles and runs `raw-hsm.c` on the token. */
export function measureRawRate(token: BenchToken): readonly RawRate[] {
  const program = join(token.folder, 'raw-hsm');
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'raw-hsm.c'), '-ldl', '-lpthread']);
  return [1, 2].map((threads) => {
    const args = [token.module, 'bench', join(token.folder, 'pin'), 'bench', String(threads), String(seconds)];
    const output = execFileSync(program, args, { env: token.environment, encoding: 'utf8' });
    return { threads, signaturesPerSecond: Number(output) };
  });
}
