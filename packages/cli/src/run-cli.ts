import { parseArgs } from 'node:util';
import { isSigillumError, type SigillumError } from '@sigillum/errors';
import { SigillumApiError } from '@sigillum/sdk';
import { parseAuditCommand, runAudit } from './commands/audit.ts';
import { parseCorpusCommand, runCorpus } from './commands/corpus.ts';
import { parseExtendCommand, runExtend } from './commands/extend.ts';
import { helpText } from './commands/help.ts';
import { parseSealCommand, runSeal } from './commands/seal.ts';
import { runStatus } from './commands/status.ts';
import { parseVerifyCommand, runVerify } from './commands/verify.ts';
import type { Console } from './console.ts';
import { assertGivenOnce, serviceOptions, toService } from './parse-options.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command line (without `node` and the script). @returns the exit code */
export async function runCli(argv: readonly string[], console: Console): Promise<number> {
  try {
    return await dispatch(argv, console);
  } catch (error) {
    if (error instanceof UsageError) {
      console.writeError(`sigillum: ${error.message}\n`);
      return 2;
    }
    if (error instanceof SigillumApiError) {
      console.writeError(`sigillum: ${describeApiError(error)}\n`);
      return 1;
    }
    if (isSigillumError(error)) {
      console.writeError(`sigillum: ${describeError(error)}\n`);
      return 1;
    }
    if (isSystemError(error)) {
      console.writeError(`sigillum: The system says: ${error.message}.\n`);
      return 2;
    }
    throw error;
  }
}

/** A file, folder or disk that can't be used, such as EACCES or ENOSPC: nothing that a stack would explain. */
function isSystemError(error: unknown): error is Error {
  return Error.isError(error) && 'syscall' in error;
}

async function dispatch([command, ...args]: readonly string[], console: Console): Promise<number> {
  const asksForHelp = command === undefined || command === 'help' || [command, ...args].includes('--help');
  if (asksForHelp) {
    await console.writeOut(helpText);
    return command === undefined ? 2 : 0;
  }
  if (command === 'status') {
    const { values } = parse(() => parseArgs({ args, options: serviceOptions }));
    parse(() => assertGivenOnce(args, serviceOptions));
    return runStatus(toService(values), console);
  }
  if (command === 'seal')
    return runSeal(
      parse(() => parseSealCommand(args)),
      console,
    );
  if (command === 'extend')
    return runExtend(
      parse(() => parseExtendCommand(args)),
      console,
    );
  if (command === 'corpus')
    return runCorpus(
      parse(() => parseCorpusCommand(args)),
      console,
    );
  if (command === 'verify')
    return runVerify(
      parse(() => parseVerifyCommand(args)),
      console,
    );
  if (command === 'audit')
    return runAudit(
      parse(() => parseAuditCommand(args)),
      console,
    );
  throw new UsageError(`There is no command ${command}. See: sigillum help`);
}

function parse<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${Error.isError(cause) ? cause.message : 'Not understood.'} See: sigillum help`, { cause });
  }
}

function describeApiError({ message, code, requestId, retryAfterSeconds, problem }: SigillumApiError): string {
  const fields = (problem.errors ?? []).map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`);
  const retry = retryAfterSeconds === undefined ? '' : ` Try again in ${retryAfterSeconds} s.`;
  return `${message}${retry} (${code}, ${requestId})${fields.join('')}`;
}

/** Of our own side: the code says it to scripts, but for a service that isn't there. */
function describeError({ message, code, fields }: SigillumError): string {
  const named = fields.map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`);
  return code === 'service_unavailable' ? message : `${message} (${code})${named.join('')}`;
}
