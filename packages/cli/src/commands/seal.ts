import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type SealDocumentOptions, SigillumClient } from '@sigillum/sdk';
import type { Console } from '../console.ts';
import { findService, type ServiceOptions } from '../find-service.ts';
import { UsageError } from '../usage-error.ts';
import { alreadyThere, writeFileAtomically } from '../write-file-atomically.ts';

export type SealCommand = {
  /** Paths, or `-` for standard input and output. */
  readonly input: string;
  readonly output: string;
  readonly force: boolean;
  readonly options: Pick<SealDocumentOptions, 'credential' | 'reason' | 'location' | 'contactInfo' | 'name'>;
  readonly service: ServiceOptions;
};

/** `sigillum seal`: a file goes in, a sealed file is there afterwards, as a whole or not at all. */
export async function runSeal(command: SealCommand, console: Console): Promise<number> {
  const { url, apiKey } = await findService(command.service, console.directory);
  if (apiKey === undefined) throw new UsageError('Sealing needs an API key: --key-file FILE.');
  const input = command.input === '-' ? console.stdin : await openInput(resolve(console.directory, command.input));
  const output = command.output === '-' ? undefined : resolve(console.directory, command.output);
  // Before anything is uploaded and sealed for nothing; asked again when the name is taken.
  if (output !== undefined) await assertWritable(output, command.force);

  const sealed = await new SigillumClient({ url, apiKey }).seal(input, command.options);
  if (output === undefined) for await (const chunk of sealed.stream()) await console.writeOut(chunk);
  else await writeFileAtomically(output, sealed.stream(), { overwrite: command.force });
  console.writeError(`Sealed as ${sealed.sealId}: ${output ?? 'standard output'}, ${sealed.size} bytes\n`);
  return 0;
}

async function openInput(path: string): Promise<AsyncIterable<Uint8Array>> {
  const found = await findFile(path);
  if (found === undefined) throw new UsageError(`There is no file ${path}.`);
  if (!found.isFile()) throw new UsageError(`${path} is not a file.`);
  return createReadStream(path);
}

async function assertWritable(path: string, force: boolean): Promise<void> {
  const folder = dirname(path);
  if (!(await findFile(folder))?.isDirectory()) throw new UsageError(`There is no folder ${folder}.`);
  if (!force && (await findFile(path)) !== undefined) throw alreadyThere(path);
}

function findFile(path: string) {
  return stat(path).catch(() => undefined);
}
