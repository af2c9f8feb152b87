import { parseArgs } from 'node:util';
import { isSigillumError } from '@sigillum/errors';
import { SigillumApiError } from '@sigillum/sdk';
import { parseAuditCommand, runAudit } from './commands/audit.ts';
import { helpText } from './commands/help.ts';
import { runSeal } from './commands/seal.ts';
import { runStatus } from './commands/status.ts';
import { parseVerifyCommand, runVerify } from './commands/verify.ts';
import type { Console } from './console.ts';
import { UsageError } from './usage-error.ts';

const text = { type: 'string' } as const;
const serviceOptions = { url: text, 'key-file': text, home: text } as const;
const sealOptions = {
  ...serviceOptions,
  output: { type: 'string', short: 'o' },
  credential: text,
  reason: text,
  location: text,
  'contact-info': text,
  name: text,
  force: { type: 'boolean' },
} as const;

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
      console.writeError(`sigillum: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

async function dispatch([command, ...args]: readonly string[], console: Console): Promise<number> {
  const asksForHelp = command === undefined || command === 'help' || [command, ...args].includes('--help');
  if (asksForHelp) {
    await console.writeOut(helpText);
    return command === undefined ? 2 : 0;
  }
  if (command === 'status') {
    const { values } = parse(() => parseArgs({ args, options: serviceOptions }));
    return runStatus(toService(values), console);
  }
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
  if (command !== 'seal') throw new UsageError(`There is no command ${command}. See: sigillum help`);
  const { values, positionals } = parse(() => parseArgs({ args, options: sealOptions, allowPositionals: true }));
  const [input, ...others] = positionals;
  if (input === undefined || others.length > 0) throw new UsageError('Name one PDF to seal, or - for standard input.');
  if (values.output === undefined) throw new UsageError('Say where the sealed PDF goes: -o OUT.pdf');
  const { credential, reason, location, name, 'contact-info': contactInfo } = values;
  const given = Object.entries({ credential, reason, location, contactInfo, name }).filter(
    ([, value]) => value !== undefined,
  );
  return runSeal(
    {
      input,
      output: values.output,
      force: values.force === true,
      options: Object.fromEntries(given),
      service: toService(values),
    },
    console,
  );
}

function parse<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${Error.isError(cause) ? cause.message : 'Not understood.'} See: sigillum help`, { cause });
  }
}

function toService(values: { url?: string | undefined; 'key-file'?: string | undefined; home?: string | undefined }) {
  if (values.url !== undefined && !URL.canParse(values.url)) throw new UsageError(`${values.url} is not a URL.`);
  return { url: values.url, keyFile: values['key-file'], home: values.home };
}

function describeApiError({ message, code, requestId, retryAfterSeconds, problem }: SigillumApiError): string {
  const fields = (problem.errors ?? []).map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`);
  const retry = retryAfterSeconds === undefined ? '' : ` Try again in ${retryAfterSeconds} s.`;
  return `${message}${retry} (${code}, ${requestId})${fields.join('')}`;
}
