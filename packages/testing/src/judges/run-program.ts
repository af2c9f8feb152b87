import { spawn } from 'node:child_process';

/** More than any verdict needs; a program that prints on and on is cut off, not collected. */
const maxOutputBytes = 1 << 20;

export type ProgramResult = {
  /** Undefined when the program was stopped for its time. */
  readonly exitCode: number | undefined;
  readonly output: string;
  readonly errors: string;
};

/** Runs a program with nothing on stdin and almost nothing in its environment, and stops it at the limit. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly limitMs: number; readonly searchPath: string; readonly home: string },
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A user's own configuration (HOME) or language (LC_ALL) must not change a word.
      env: { PATH: options.searchPath, LC_ALL: 'C', TZ: 'UTC', HOME: options.home },
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, options.limitMs);
    const output = collect(child.stdout);
    const errors = collect(child.stderr);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ exitCode: late ? undefined : (code ?? -1), output: output(), errors: errors() });
    });
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < maxOutputBytes) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
