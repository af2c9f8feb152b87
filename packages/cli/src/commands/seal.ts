import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SigillumClient, type SealRequestOptions } from '@sigillum/sdk';
import type { Console } from '../console.ts';
import { assertReadable, assertWritable } from '../file-checks.ts';
import { findService, type ServiceOptions } from '../find-service.ts';
import { assertGivenOnce, parseLevel, serviceOptions, toService } from '../parse-options.ts';
import { UsageError } from '../usage-error.ts';
import { writeFileAtomically } from '../write-file-atomically.ts';

export type SealCommand = {
  /** Paths, or `-` for standard input and output. */
  readonly input: string;
  readonly output: string;
  readonly force: boolean;
  /** Only digests are sent. */
  readonly local: boolean;
  readonly options: Omit<SealRequestOptions, 'appearance' | 'signal'>;
  /** File with the JSON of the appearance. */
  readonly appearance: string | undefined;
  /** TrueType files for the text of a visible seal that is made here. */
  readonly fonts: readonly string[];
  readonly service: ServiceOptions;
};

const text = { type: 'string' } as const;
const options = {
  ...serviceOptions,
  output: { type: 'string', short: 'o' },
  level: text,
  certify: text,
  field: text,
  appearance: text,
  font: { type: 'string', multiple: true },
  local: { type: 'boolean' },
  credential: text,
  reason: text,
  location: text,
  'contact-info': text,
  name: text,
  force: { type: 'boolean' },
} as const;

/** With a logo in it; the service takes no larger one. */
const maxAppearanceBytes = 2 * 1024 * 1024;

/** The arguments behind `seal`. @throws UsageError */
export function parseSealCommand(args: readonly string[]): SealCommand {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  assertGivenOnce(args, options);
  const [input, ...others] = positionals;
  if (input === undefined || others.length > 0) throw new UsageError('Name one PDF to seal, or - for standard input.');
  if (values.output === undefined) throw new UsageError('Say where the sealed PDF goes: -o OUT.pdf');
  if (values.font !== undefined && values.local !== true) {
    throw new UsageError('--font is for --local: the service has fonts in its configuration.');
  }
  const { credential, reason, location, name, field, 'contact-info': contactInfo } = values;
  const given = {
    credential,
    reason,
    location,
    contactInfo,
    name,
    field,
    certify: parseCertify(values.certify),
    level: values.level === undefined ? undefined : parseLevel(values.level),
  };
  return {
    input,
    output: values.output,
    force: values.force === true,
    local: values.local === true,
    options: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    appearance: values.appearance,
    fonts: values.font ?? [],
    service: toService(values),
  };
}

/** `sigillum seal`: a file goes in, a sealed file is there afterwards, as a whole or not at all. */
export async function runSeal(command: SealCommand, console: Console): Promise<number> {
  const { url, apiKey } = await findService(command.service, console.directory);
  if (apiKey === undefined) throw new UsageError('Sealing needs an API key: --key-file FILE.');
  const input = command.input === '-' ? undefined : resolve(console.directory, command.input);
  if (input !== undefined) await assertReadable(input);
  const output = command.output === '-' ? undefined : resolve(console.directory, command.output);
  // Before anything is uploaded and sealed for nothing; asked again when the name is taken.
  if (output !== undefined) await assertWritable(output, command.force);
  const appearance =
    command.appearance === undefined
      ? {}
      : { appearance: await readAppearance(resolve(console.directory, command.appearance)) };

  const fonts = command.fonts.map((path) => resolve(console.directory, path));
  for (const path of fonts) await assertReadable(path);

  const client = new SigillumClient({ url, apiKey, fonts });
  const asked = { ...command.options, ...appearance };
  const { sealId, size, pieces } = command.local
    ? await sealHere(client, input ?? console.stdin, asked, output !== undefined)
    : await sealThere(client, input === undefined ? console.stdin : createReadStream(input), asked);
  if (output === undefined) for await (const chunk of pieces) await console.writeOut(chunk);
  else await writeFileAtomically(output, pieces, { overwrite: command.force });
  console.writeError(`Sealed as ${sealId}: ${output ?? 'standard output'}, ${size} bytes\n`);
  return 0;
}

type Sealed = { readonly sealId: string; readonly size: number; readonly pieces: AsyncIterable<Uint8Array> };

async function sealThere(
  client: SigillumClient,
  document: AsyncIterable<Uint8Array>,
  asked: SealRequestOptions,
): Promise<Sealed> {
  const sealed = await client.seal(document, asked);
  return { sealId: sealed.sealId, size: sealed.size, pieces: sealed.stream() };
}

async function sealHere(
  client: SigillumClient,
  document: string | AsyncIterable<Uint8Array>,
  asked: SealRequestOptions,
  toFile: boolean,
): Promise<Sealed> {
  const sealed = await client.sealLocally(document, asked);
  // written to a file, a piece is used up before the next one is asked for
  return { sealId: sealed.sealId, size: sealed.size, pieces: sealed.stream({ reuse: toFile }) };
}

function parseCertify(given: string | undefined): 1 | 2 | 3 | undefined {
  if (given === undefined || given === 'none') return undefined;
  const certify = ([1, 2, 3] as const).find((one) => String(one) === given);
  if (certify === undefined) throw new UsageError('Say --certify 1, 2, 3 or none.');
  return certify;
}

async function readAppearance(path: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UsageError(`There is no file ${path} that can be read.`, { cause });
  });
  if (bytes.length <= maxAppearanceBytes) {
    try {
      const value: unknown = JSON.parse(bytes.toString('utf8'));
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    } catch {
      // Said below.
    }
  }
  throw new UsageError(`${path} does not hold the JSON of an appearance.`);
}
