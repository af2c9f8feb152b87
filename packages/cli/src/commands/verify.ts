import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isSigillumError } from '@sigillum/errors';
import { type SignatureChoice, validateSignatures, type ValidationProfile } from '@sigillum/pades';
import { createFileSource } from '@sigillum/pdf';
import { decodePem, parseCertificate } from '@sigillum/pki';
import type { Console } from '../console.ts';
import { findRootCertificate } from '../find-root-certificate.ts';
import { assertGivenOnce } from '../parse-options.ts';
import { UsageError } from '../usage-error.ts';
import { describeReport, toWire } from './describe-report.ts';

export type VerifyCommand = {
  /** A path, or `-` for standard input. */
  readonly input: string;
  /** Files with certificates to trust; none means the root of the development home. */
  readonly roots: readonly string[];
  readonly home: string | undefined;
  readonly profile: ValidationProfile;
  readonly json: boolean;
  readonly only: SignatureChoice;
};

const options = {
  root: { type: 'string', multiple: true },
  home: { type: 'string' },
  profile: { type: 'string' },
  json: { type: 'boolean' },
  'only-last': { type: 'boolean' },
  field: { type: 'string' },
} as const;

const profiles = ['baseline', 'any-intact'] as const;

/** The arguments behind `verify`. @throws UsageError */
export function parseVerifyCommand(args: readonly string[]): VerifyCommand {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  assertGivenOnce(args, options);
  const [input, ...others] = positionals;
  if (input === undefined || others.length > 0)
    throw new UsageError('Name one PDF to verify, or - for standard input.');
  const profile = profiles.find((name) => name === (values.profile ?? 'baseline'));
  if (profile === undefined)
    throw new UsageError(`There is no profile ${values.profile}. Take baseline or any-intact.`);
  const { field } = values;
  if (field !== undefined && values['only-last'] === true)
    throw new UsageError('Take --field or --only-last, not both.');
  const only = field === undefined ? (values['only-last'] === true ? 'last' : 'all') : { field };
  return { input, roots: values.root ?? [], home: values.home, profile, json: values.json === true, only };
}

/** `sigillum verify`: 0 accepted, 1 refused, 2 when the file is no PDF that can be read. */
export async function runVerify(command: VerifyCommand, console: Console): Promise<number> {
  const files =
    command.roots.length > 0
      ? command.roots.map((path) => resolve(console.directory, path))
      : [await findRootCertificate(command.home, console.directory)];
  const roots = files.flatMap(readRoots);
  const file = command.input === '-' ? await readInput(console) : openFile(resolve(console.directory, command.input));
  try {
    const { profile, only } = command;
    const report = validateSignatures(file.source, { roots, now: new Date(), profile, only });
    await console.writeOut(command.json ? `${JSON.stringify(toWire(report), undefined, 2)}\n` : describeReport(report));
    if (!report.readable) return 2;
    return report.accepted ? 0 : 1;
  } finally {
    file.close();
  }
}

type OpenFile = { readonly source: Parameters<typeof validateSignatures>[0]; close(): void };

/** A file read piece by piece: it may have gigabytes. */
function openFile(path: string): OpenFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    throw new UsageError(`There is no file ${path} that can be read.`, { cause });
  }
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    closeSync(descriptor);
    throw new UsageError(`${path} is not a file.`);
  }
  const source = createFileSource(
    status.size,
    (into, start, position) => readSync(descriptor, into, start, into.length - start, position),
    () => new UsageError(`${path} became shorter while it was read.`),
  );
  return { source, close: () => closeSync(descriptor) };
}

/** Standard input is held in memory: at most this many bytes. */
const maxInputBytes = 256 * 1024 * 1024;

async function readInput(console: Console): Promise<OpenFile> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of console.stdin) {
    size += chunk.length;
    if (size > maxInputBytes) throw new UsageError('Standard input is too long; name the file instead.');
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(Buffer.concat(chunks));
  const read = (offset: number, length: number): Uint8Array => {
    if (offset < 0 || length < 0 || offset + length > size) throw new RangeError(`bytes ${offset} of ${size}`);
    return bytes.subarray(offset, offset + length);
  };
  return { source: { size, read }, close: () => undefined };
}

function readRoots(path: string): readonly Uint8Array[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new UsageError(`There is no file ${path} that can be read.`, { cause });
  }
  try {
    const found = bytes[0] === 0x30 ? [new Uint8Array(bytes)] : decodePem(bytes.toString('latin1'), 'CERTIFICATE');
    for (const certificate of found) parseCertificate(certificate);
    if (found.length > 0) return found;
  } catch (cause) {
    if (!isSigillumError(cause)) throw cause;
  }
  throw new UsageError(`${path} holds no certificate that can be read.`);
}
