import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endOf, type ExtractedSignature, extractSignatures, signedBytes } from './extract-signatures.ts';
import type { SignatureFacts, Word } from './judgement.ts';
import { type CmsParts, readCms } from './read-cms.ts';
import { type ProgramResult, runProgram } from './run-program.ts';

/** What the judges that are single programs need for one file. */
export type SystemCase = {
  readonly file: string;
  /** A folder of this file's own. */
  readonly directory: string;
  /** Anchors as PEM, and as an NSS database for pdfsig. */
  readonly rootsPem: string;
  readonly nssDirectory: string;
  /** `all`, `last`, or the ends of the signed ranges that another judge found in the field asked for. */
  readonly selection: 'all' | 'last' | readonly number[];
  readonly limitMs: number;
  readonly searchPath: string;
};

export type SystemWord = {
  readonly word: Word;
  readonly reasons: readonly string[];
  readonly signatures?: readonly SignatureFacts[];
  readonly exitCode?: number;
};

type Candidate = { readonly signature: ExtractedSignature; readonly cms: CmsParts | undefined };

/** `openssl cms -verify -cades`: digest, signature value, ESS certificate, chain; once per chosen signature. */
export async function judgeByOpensslCms(one: SystemCase): Promise<SystemWord> {
  const file = readFileSync(one.file);
  const { chosen } = chooseSignatures(file, one.selection);
  if (chosen.length === 0) return nothingChosen(file);
  const reasons: string[] = [];
  for (const [index, { signature, cms }] of chosen.entries()) {
    if (cms === undefined) {
      reasons.push('the CMS is not DER');
      continue;
    }
    const der = writeCase(one, `signature-${index}.der`, cms.der);
    const content = writeCase(one, `content-${index}.bin`, signedBytes(file, signature.byteRange));
    const out = ['-out', '/dev/null'];
    const options = ['-binary', '-inform', 'DER', '-in', der, '-content', content, '-CAfile', one.rootsPem, ...out];
    addFailure(reasons, await run(one, 'openssl', ['cms', '-verify', '-cades', '-purpose', 'any', ...options]));
  }
  return toWord(reasons, chosen);
}

/** `openssl ts -verify`: every token in the chosen signatures, and every document time-stamp after the first of them. */
export async function judgeByOpensslTs(one: SystemCase): Promise<SystemWord> {
  const file = readFileSync(one.file);
  const { chosen, documentTimeStamps } = chooseSignatures(file, one.selection);
  if (chosen.length === 0 && documentTimeStamps.length === 0) return nothingChosen(file);
  const tokens: { token: Uint8Array; data: Uint8Array }[] = [];
  for (const { cms } of chosen) {
    for (const token of cms?.timeStamps ?? []) tokens.push({ token, data: cms?.signatureValue ?? new Uint8Array() });
  }
  for (const { signature, cms } of documentTimeStamps) {
    if (cms !== undefined) tokens.push({ token: cms.der, data: signedBytes(file, signature.byteRange) });
  }
  const reasons: string[] = [];
  for (const [index, { token, data }] of tokens.entries()) {
    const tokenPath = writeCase(one, `token-${index}.der`, token);
    const dataPath = writeCase(one, `stamped-${index}.bin`, data);
    const options = ['-token_in', '-in', tokenPath, '-data', dataPath, '-CAfile', one.rootsPem];
    addFailure(reasons, await run(one, 'openssl', ['ts', '-verify', ...options]));
  }
  return tokens.length === 0 ? { word: 'abstain', reasons: ['no time-stamp'] } : toWord(reasons, chosen);
}

/** `pdfsig`: hash and signature value only. Its word about certificates is noted, never counted. */
export async function judgeByPdfsig(one: SystemCase): Promise<SystemWord> {
  const result = await run(one, 'pdfsig', ['-no-ocsp', '-nssdir', `sql:${one.nssDirectory}`, one.file]);
  if (result.exitCode === undefined) return { word: 'refuse', reasons: ['time limit'] };
  if (/does not contain any signatures/.test(result.output)) return { word: 'unsigned', reasons: [] };
  if (result.exitCode !== 0) return { word: 'refuse', reasons: [`not readable: ${firstLine(result.errors)}`] };
  const entries = result.output
    .split(/^Signature #\d+:$/m)
    .slice(1)
    .map(readPdfsigEntry);
  // It doesn't know document time-stamps and says of them that nothing was verified.
  const signatures = entries.filter(({ type }) => type.startsWith('ETSI.CAdES') || type.startsWith('adbe'));
  const { selection } = one;
  const chosen =
    selection === 'all'
      ? signatures
      : selection === 'last'
        ? signatures.toSorted((a, b) => a.end - b.end).slice(-1)
        : signatures.filter(({ end }) => selection.includes(end));
  if (chosen.length === 0) return { word: 'abstain', reasons: ['no signature of a kind that pdfsig knows'] };
  const reasons = chosen
    .filter(({ validation }) => validation !== 'Signature is Valid.')
    .map(({ validation }) => validation);
  const facts = chosen.map(({ field, validation, certificate }) => ({
    field,
    indication: validation,
    messages: certificate === '' ? [] : [`certificate: ${certificate}`],
  }));
  return { word: reasons.length === 0 ? 'accept' : 'refuse', reasons, signatures: facts };
}

/** `qpdf --check`: structure only. Warnings are a note: many inputs have had them before they were sealed. */
export async function judgeByQpdf(one: SystemCase): Promise<SystemWord> {
  const result = await run(one, 'qpdf', ['--check', one.file]);
  const note = firstLine(result.errors.replaceAll(`${one.file}: `, ''));
  if (result.exitCode === 0) return { word: 'accept', reasons: [], exitCode: 0 };
  if (result.exitCode === 3) return { word: 'abstain', reasons: [`warnings: ${note}`], exitCode: 3 };
  const code = result.exitCode === undefined ? {} : { exitCode: result.exitCode };
  return { word: 'refuse', reasons: [result.exitCode === undefined ? 'time limit' : note], ...code };
}

function readPdfsigEntry(text: string) {
  const value = (label: string) => new RegExp(`^ +- ${label}: ?(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return {
    field: value('Signature Field Name'),
    type: value('Signature Type'),
    validation: value('Signature Validation'),
    certificate: value('Certificate Validation'),
    end: Number(/(\d+)\]$/.exec(value('Signed Ranges'))?.[1] ?? -1),
  };
}

function chooseSignatures(file: Buffer, selection: SystemCase['selection']) {
  const all: Candidate[] = extractSignatures(file).map((signature) => ({
    signature,
    cms: readCms(signature.contents),
  }));
  const signatures = all.filter(({ cms }) => cms?.isTimeStamp !== true);
  const chosen =
    selection === 'all'
      ? signatures
      : selection === 'last'
        ? signatures.slice(-1)
        : signatures.filter(({ signature }) => selection.includes(endOf(signature.byteRange)));
  const first = chosen[0] === undefined ? 0 : endOf(chosen[0].signature.byteRange);
  const documentTimeStamps = all.filter(
    ({ cms, signature }) => cms?.isTimeStamp === true && (selection === 'all' || endOf(signature.byteRange) > first),
  );
  return { chosen, documentTimeStamps };
}

function nothingChosen(file: Buffer): SystemWord {
  return extractSignatures(file).length === 0
    ? { word: 'unsigned', reasons: [] }
    : { word: 'abstain', reasons: ['no other judge says which range the field has'] };
}

function toWord(reasons: readonly string[], chosen: readonly Candidate[]): SystemWord {
  const signatures = chosen.map(({ signature }) => ({ byteRange: signature.byteRange }));
  return { word: reasons.length === 0 ? 'accept' : 'refuse', reasons, signatures };
}

function addFailure(reasons: string[], { exitCode, errors, output }: ProgramResult): void {
  if (exitCode === 0) return;
  reasons.push(exitCode === undefined ? 'time limit' : opensslReason(`${errors}\n${output}`));
}

/** OpenSSL 3 writes `…:error:0A000086:library:function:reason:file:line:data`; the reason is what a person wants. */
function opensslReason(text: string): string {
  const reasons = [...text.matchAll(/:error:[0-9A-F]*:[^:]*:[^:]*:([^:]+):[^:]*:\d+:(.*)$/gm)].map(
    ([, reason = '', data = '']) => (data === '' ? reason : `${reason} (${data})`),
  );
  return reasons.length > 0 ? [...new Set(reasons)].join(', ') : firstLine(text.trim());
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 300);
}

function writeCase(one: SystemCase, name: string, bytes: Uint8Array): string {
  const path = join(one.directory, name);
  writeFileSync(path, bytes);
  return path;
}

function run(one: SystemCase, program: string, args: readonly string[]): Promise<ProgramResult> {
  return runProgram(program, args, { limitMs: one.limitMs, searchPath: one.searchPath, home: one.directory });
}
