import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SigillumError } from '@sigillum/errors';
import { z } from 'zod';
import { type Program, readLogEnd, startProgram } from './program.ts';

/** A slow machine makes RSA keys for a while. */
const timeoutMs = 300_000;

/** The end of a ceremony. */
export type CeremonyResult = { /** Steps that changed something. */ readonly done: readonly string[] };

/** Runs a command of the ceremony tool and takes its progress lines. @throws SigillumError `home_ceremony_failed`. */
export async function runCeremony(
  program: Program,
  options: { readonly signal: AbortSignal; readonly onStep: (step: string) => void; readonly resetCommand: string },
): Promise<CeremonyResult> {
  const child = startProgram(program, 'pipe');
  const stop = (): void => void child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  options.signal.addEventListener('abort', stop);
  const done: string[] = [];
  let failure = '';
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { step, state, message } = parseLine(line);
      if (state === 'running') options.onStep(step);
      if (state === 'done') done.push(step);
      if (state === 'failed') failure = `${step}: ${message}`;
    });
  }
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    options.signal.throwIfAborted();
    if (code === 0) return { done };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
  }
  throw new SigillumError(
    'home_ceremony_failed',
    `The ceremony "${program.args[0]}" failed${failure === '' ? '' : ` at ${failure}`}\nThe end of ${program.logFile}:\n` +
      `${readLogEnd(program.logFile)}\nIf it fails again, begin anew: ${options.resetCommand}`,
  );
}

const lineSchema = z.object({ step: z.string(), state: z.string(), message: z.string().default('') });

function parseLine(line: string): z.output<typeof lineSchema> {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    return { step: '', state: '', message: '' };
  }
}
