import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SigillumClient } from '@sigillum/sdk';
import type { Console } from '../console.ts';
import { assertReadable, assertWritable } from '../file-checks.ts';
import { findService, type ServiceOptions } from '../find-service.ts';
import { assertGivenOnce, parseLevel, serviceOptions, toService } from '../parse-options.ts';
import { UsageError } from '../usage-error.ts';
import { writeFileAtomically } from '../write-file-atomically.ts';

export type ExtendCommand = {
  /** Paths, or `-` for standard input and output. */
  readonly input: string;
  /** The input itself without `-o`. */
  readonly output: string;
  readonly force: boolean;
  readonly level: 'b-lt' | 'b-lta';
  readonly service: ServiceOptions;
};

const options = {
  ...serviceOptions,
  level: { type: 'string' },
  output: { type: 'string', short: 'o' },
  force: { type: 'boolean' },
} as const;

/** The arguments behind `extend`. @throws UsageError */
export function parseExtendCommand(args: readonly string[]): ExtendCommand {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  assertGivenOnce(args, options);
  const [input, ...others] = positionals;
  if (input === undefined || others.length > 0)
    throw new UsageError('Name one PDF to extend, or - for standard input.');
  const level = values.level === undefined ? undefined : parseLevel(values.level);
  if (level === undefined || level === 'b-t') throw new UsageError('Say to which level: --level b-lt or b-lta.');
  // What is extended begins with what it was: in its place nothing is lost.
  const force = values.force === true || values.output === undefined;
  return { input, output: values.output ?? input, force, level, service: toService(values) };
}

/** `sigillum extend`: validation data, and for b-lta a document time-stamp, are added to a sealed file. */
export async function runExtend(command: ExtendCommand, console: Console): Promise<number> {
  const { url, apiKey } = await findService(command.service, console.directory);
  if (apiKey === undefined) throw new UsageError('Extending needs an API key: --key-file FILE.');
  const input = command.input === '-' ? undefined : resolve(console.directory, command.input);
  if (input !== undefined) await assertReadable(input);
  const output = command.output === '-' ? undefined : resolve(console.directory, command.output);
  if (output !== undefined) await assertWritable(output, command.force);
  const document = input === undefined ? console.stdin : createReadStream(input);
  const extended = await new SigillumClient({ url, apiKey }).extend(document, { level: command.level });
  if (output === undefined) for await (const chunk of extended.stream()) await console.writeOut(chunk);
  else await writeFileAtomically(output, extended.stream(), { overwrite: command.force });
  console.writeError(`Extended as ${extended.extensionId}: ${output ?? 'standard output'}, ${extended.size} bytes\n`);
  if (extended.leftAlone > 0) {
    const count = extended.leftAlone === 1 ? 'One signature' : `${extended.leftAlone} signatures`;
    console.writeError(
      `${count} could not be extended: see left_alone of GET /v1/extensions/${extended.extensionId}\n`,
    );
  }
  return 0;
}
