import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type ChainHead,
  type ChainReport,
  ChainVerifier,
  type JsonObject,
  splitLines,
  verifyAuditLog,
} from '@sigillum/audit';
import type { Console } from '../console.ts';
import { assertGivenOnce } from '../parse-options.ts';
import { UsageError } from '../usage-error.ts';
import { AuditedTokens, type TokenReport } from './audit-tokens.ts';

export type AuditCommand = {
  /** Folders of logs, transcripts, or folders of transcripts. */
  readonly paths: readonly string[];
  readonly chain: string | undefined;
  readonly head: ChainHead | undefined;
  /** The head of the last segment that was archived elsewhere. */
  readonly after: ChainHead | undefined;
  readonly tokens: string | undefined;
  readonly json: boolean;
};

const options = {
  chain: { type: 'string' },
  head: { type: 'string' },
  after: { type: 'string' },
  tokens: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** The arguments behind `audit`. @throws UsageError */
export function parseAuditCommand(args: readonly string[]): AuditCommand {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  assertGivenOnce(args, options);
  const [verb, ...paths] = positionals;
  if (verb !== 'verify') throw new UsageError('There is one thing to do with logs: sigillum audit verify DIR');
  if (paths.length === 0) throw new UsageError('Name the folder of a log, or a transcript.');
  const { chain, tokens, json } = values;
  const [head, after] = [parseHead('--head', values.head), parseHead('--after', values.after)];
  if (paths.length > 1 && (chain !== undefined || head !== undefined || after !== undefined))
    throw new UsageError('--chain, --head and --after belong to one log: name only that.');
  return { paths, chain, head, after, tokens, json: json === true };
}

/** One chain: a log's folder, or a transcript. */
type AuditedLog = {
  readonly path: string;
  readonly chain: string | undefined;
  /** Where it has to begin was known. */
  readonly isAnchored: boolean;
  /** Where it has to reach at least was known: nothing else shows that its end was cut off. */
  readonly isHeadKnown: boolean;
  readonly report: ChainReport;
};

/** `sigillum audit verify`: 0 nothing wrong, 1 something is, 2 when there is no log. */
export async function runAudit(command: AuditCommand, console: Console): Promise<number> {
  const tokens =
    command.tokens === undefined ? undefined : new AuditedTokens(resolve(console.directory, command.tokens));
  const onEvent = (event: JsonObject): void => tokens?.add(event);
  const logs: AuditedLog[] = [];
  for (const path of command.paths) {
    logs.push(...(await verifyPath(resolve(console.directory, path), command, onEvent)));
  }
  const tokenReport = tokens?.finish();
  const isIntact = logs.every(({ report }) => report.intact) && (tokenReport?.problems.length ?? 0) === 0;
  await console.writeOut(command.json ? toJson(logs, tokenReport, isIntact) : describe(logs, tokenReport));
  return isIntact ? 0 : 1;
}

async function verifyPath(path: string, command: AuditCommand, onEvent: (event: JsonObject) => void) {
  const { chain, head, after } = command;
  if (isFile(path)) return [verifyFile(path, command, onEvent)];
  const names = readdirSync(path).filter((name) => name.endsWith('.jsonl'));
  if (names.length === 0) throw new UsageError(`${path} holds no log: no *.jsonl.`);
  if (names.some((name) => /^\d{12}\.jsonl$/.test(name))) {
    const known = {
      ...(chain !== undefined && { chain }),
      ...(head && { expectedHead: head }),
      ...(after && { after }),
    };
    const report = await verifyAuditLog({ directory: path, ...known, onEvent });
    return [
      { path, chain, isAnchored: chain !== undefined || after !== undefined, isHeadKnown: head !== undefined, report },
    ];
  }
  return names.sort().map((name) => verifyFile(join(path, name), command, onEvent));
}

/** A transcript: one file, whose name is the id of its chain. */
function verifyFile(path: string, command: AuditCommand, onEvent: (event: JsonObject) => void): AuditedLog {
  const chain = command.chain ?? basename(path, '.jsonl');
  const verifier = new ChainVerifier({ chain, ...(command.head && { expectedHead: command.head }) });
  for (const bytes of splitLines(readFileSync(path))) {
    const line = verifier.add(bytes);
    if (line !== undefined) onEvent(line.event);
  }
  return { path, chain, isAnchored: true, isHeadKnown: command.head !== undefined, report: verifier.finish() };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (cause) {
    throw new UsageError(`There is no log ${path} that can be read.`, { cause });
  }
}

function parseHead(option: string, text: string | undefined): ChainHead | undefined {
  if (text === undefined) return undefined;
  const [, sequence = '', hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (hash === '') throw new UsageError(`${option} is SEQUENCE:HASH, the hash in 64 lowercase hexadecimal digits.`);
  return { sequence: Number(sequence), hash: Buffer.from(hash, 'hex') };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function toJson(logs: readonly AuditedLog[], tokens: TokenReport | undefined, intact: boolean): string {
  const report = {
    version: 1,
    intact,
    logs: logs.map(({ path, chain, isAnchored, isHeadKnown, report }) => ({
      path,
      chain: chain ?? null,
      intact: report.intact,
      beginning_checked: isAnchored,
      end_checked: isHeadKnown,
      lines: report.lines,
      head: { sequence: report.head.sequence, hash: toHex(report.head.hash) },
      problems: report.problems,
    })),
    ...(tokens && { tokens }),
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function describe(logs: readonly AuditedLog[], tokens: TokenReport | undefined): string {
  const lines = logs.flatMap(({ path, isAnchored, isHeadKnown, report }) => [
    `${path}: ${report.intact ? 'intact' : 'NOT INTACT'}, ${report.lines} lines`,
    `  head ${report.head.sequence}:${toHex(report.head.hash)}`,
    ...(isAnchored ? [] : ['  Whose chain it is was not checked: say --chain.']),
    ...(isHeadKnown ? [] : ['  Whether lines are missing at its end was not checked: say --head, from elsewhere.']),
    ...report.problems.map(({ line, kind, detail, segment, segmentLine }) => {
      const place = segment === undefined ? '' : ` (${segment}, line ${segmentLine})`;
      return `  line ${line}${place}: ${detail} (${kind})`;
    }),
  ]);
  if (tokens === undefined) return `${lines.join('\n')}\n`;
  return `${[
    ...lines,
    `${tokens.recorded} of ${tokens.tokens} tokens are recorded exactly`,
    ...(tokens.copies === 0 ? [] : [`  ${tokens.copies} of these files hold a token that another one holds too`]),
    ...(tokens.skipped === 0 ? [] : [`  ${tokens.skipped} folders and links in it were not looked at: name them too`]),
    ...tokens.problems.map(({ file, kind, detail }) => `  ${file}: ${detail} (${kind})`),
  ].join('\n')}\n`;
}
