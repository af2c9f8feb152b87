import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchToken } from './bench-token.ts';

/** Signatures per second that the module itself makes with a P-256 key, by threads. */
export type RawRate = { readonly threads: number; readonly signaturesPerSecond: number };

const seconds = 3;

/** Compiles `ceiling/ceiling.c` and lets it sign only, on the token. */
export function measureRawRate(token: BenchToken): readonly RawRate[] {
  const program = join(token.folder, 'ceiling');
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'ceiling', 'ceiling.c'), '-ldl', '-lpthread']);
  return [1, 2].map((threads) => {
    const key = [token.module, 'bench', join(token.folder, 'pin'), 'bench', 'ecdsa-p256'];
    const args = [...key, String(threads), String(seconds), 'sign-only'];
    const output = execFileSync(program, args, { env: token.environment, encoding: 'utf8' });
    return { threads, signaturesPerSecond: (JSON.parse(output) as { per_second: number }).per_second };
  });
}
