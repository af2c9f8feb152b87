import { once } from 'node:events';
import { SigillumError } from '@sigillum/errors';
import { type Program, readLogEnd, startProgram } from './program.ts';

/** Migrations and provisioning of a development home take a second; a busy machine some more. */
const timeoutMs = 120_000;

/** Runs a program to its end. @throws SigillumError `home_service_failed` with the end of its log. */
export async function runProgram(what: string, program: Program, signal: AbortSignal): Promise<void> {
  const child = startProgram(program);
  const stop = (): void => void child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  signal.addEventListener('abort', stop);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    signal.throwIfAborted();
    if (code === 0) return;
    throw new SigillumError(
      'home_service_failed',
      `${what} failed (exit ${code ?? 'by a signal'}). The end of ${program.logFile}:\n${readLogEnd(program.logFile)}`,
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
