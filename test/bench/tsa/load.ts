import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Compiles a C source of the bench with gcc; returns the program's path. */
export function compile(source: string, folder: string, name: string): string {
  const out = join(folder, name);
  execFileSync('gcc', ['-O2', '-o', out, join(import.meta.dirname, source), '-ldl', '-lpthread']);
  return out;
}

/** The generator. */
export function compileLoad(folder: string): string {
  return compile('load.c', folder, 'load');
}
