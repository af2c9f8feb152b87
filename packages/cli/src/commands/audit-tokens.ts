import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, JsonValue } from '@sigillum/audit';
import { isSigillumError } from '@sigillum/errors';
import { parseSignedData, parseTimeStampResponse, parseTstInfo } from '@sigillum/pki';
import { UsageError } from '../usage-error.ts';

/** What is wrong with a token's file, or with what the log says about it. */
export type TokenProblemKind =
  /** Neither a TimeStampToken nor a granted TimeStampResp in DER. */
  | 'token_unreadable'
  /** No line of the logs has its serial number. */
  | 'token_not_recorded'
  /** The line has another time, imprint, policy or hash. */
  | 'token_differs'
  /** Two lines have its serial number. */
  | 'serial_recorded_twice'
  /** Two different tokens in the folder have it. */
  | 'serial_used_twice';

export type TokenProblem = { readonly file: string; readonly kind: TokenProblemKind; readonly detail: string };

export type TokenReport = {
  /** Files that should each hold one. */
  readonly tokens: number;
  /** Those whose line says exactly what they say. */
  readonly recorded: number;
  /** Of `tokens`, files with a token that an earlier file holds too, bare or in its response. */
  readonly copies: number;
  /** Folders, links and the like in the folder, into which nobody looked. */
  readonly skipped: number;
  readonly problems: readonly TokenProblem[];
};

type ReadToken = {
  readonly file: string;
  readonly sha256: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Files that hold it. */
  files: number;
  lines: number;
  differs: string | undefined;
};

/** A folder is listed in memory; whoever has more checks them folder by folder. */
const maxFiles = 200_000;

/** Tokens have a few KiB. */
const maxTokenBytes = 1024 * 1024;

/** A report is for people; when everything is wrong, a hundred lines say so. */
const maxProblems = 100;

/** The time-stamp tokens of a folder, to be compared with the events of the logs that should have recorded them. */
export class AuditedTokens {
  readonly #bySerial = new Map<string, ReadToken>();
  readonly #problems: TokenProblem[] = [];
  #count = 0;
  readonly #skipped: number;

  /** Reads every file of the folder: tokens and responses in DER. @throws UsageError when it can't be listed */
  constructor(directory: string) {
    const { files, skipped } = listFiles(directory);
    this.#skipped = skipped;
    for (const file of files) {
      this.#count++;
      const path = join(directory, file);
      const token = statSync(path).size <= maxTokenBytes ? findToken(readFileSync(path)) : undefined;
      if (token === undefined) {
        this.#report(file, 'token_unreadable', 'It is neither a time-stamp token nor a granted response.');
        continue;
      }
      const { serial, sha256, fields } = token;
      const known = this.#bySerial.get(serial);
      if (known === undefined) {
        this.#bySerial.set(serial, { file, sha256, fields, files: 1, lines: 0, differs: undefined });
      } else if (known.sha256 === sha256) {
        // Two copies of one token stand in one line.
        known.files += 1;
      } else {
        this.#report(file, 'serial_used_twice', `${known.file} is another token with the serial number ${serial}.`);
      }
    }
  }

  /** Takes an event of a log; all but those of tokens are passed over. */
  add(event: JsonObject): void {
    if (event['type'] !== 'tsa.time_stamped') return;
    const token = this.#bySerial.get(toText(event['serial']));
    if (token === undefined) return;
    token.lines += 1;
    const recorded = toFields(event);
    token.differs = Object.keys(token.fields).find((name) => token.fields[name] !== recorded[name]);
  }

  /** After the last event of the last log. */
  finish(): TokenReport {
    let [recorded, copies] = [0, 0];
    for (const [serial, { file, files, lines, differs, fields }] of this.#bySerial) {
      copies += files - 1;
      if (lines === 0) this.#report(file, 'token_not_recorded', `No line has the serial number ${serial}.`);
      else if (lines > 1)
        this.#report(file, 'serial_recorded_twice', `${lines} lines have the serial number ${serial}.`);
      else if (differs === undefined) recorded += files;
      else this.#report(file, 'token_differs', `Its ${differs} is ${fields[differs]}, the line says otherwise.`);
    }
    return { tokens: this.#count, recorded, copies, skipped: this.#skipped, problems: [...this.#problems] };
  }

  #report(file: string, kind: TokenProblemKind, detail: string): void {
    if (this.#problems.length < maxProblems) this.#problems.push({ file, kind, detail });
  }
}

function toFields(event: JsonObject): Readonly<Record<string, string>> {
  const imprint = event['imprint'];
  const { algorithm, digest } = (typeof imprint === 'object' && imprint !== null ? imprint : {}) as JsonObject;
  return {
    gen_time: toText(event['gen_time']),
    imprint: `${toText(algorithm)}:${toText(digest)}`,
    policy: toText(event['policy']),
    accuracy_ms: toText(event['accuracy_ms']),
    token_sha256: toText(event['token_sha256']),
  };
}

/** A field of the log as the token's own fields are written; one that isn't there is `undefined`, as in a token. */
function toText(value: JsonValue | undefined): string {
  if (value === undefined) return 'undefined';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function findToken(bytes: Uint8Array) {
  const der = new Uint8Array(bytes);
  try {
    const token = findResponseToken(der) ?? der;
    const { content } = parseSignedData(token);
    if (content === undefined) return undefined;
    const info = parseTstInfo(content);
    const sha256 = createHash('sha256').update(token).digest('hex');
    const fields = {
      gen_time: info.genTime.toISOString(),
      imprint: `${info.imprint.algorithm}:${Buffer.from(info.imprint.digest).toString('hex')}`,
      policy: info.policy,
      accuracy_ms: String(info.accuracyMs),
      token_sha256: sha256,
    };
    return { serial: info.serialNumber.padStart(32, '0'), sha256, fields };
  } catch (error) {
    if (isSigillumError(error)) return undefined;
    throw error;
  }
}

/** The token of a granted response; undefined for what is none, such as a bare token. */
function findResponseToken(der: Uint8Array): Uint8Array | undefined {
  try {
    const response = parseTimeStampResponse(der);
    return response.granted ? response.token : undefined;
  } catch (error) {
    if (isSigillumError(error)) return undefined;
    throw error;
  }
}

function listFiles(directory: string): { readonly files: readonly string[]; readonly skipped: number } {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    if (files.length > maxFiles) throw new UsageError(`${directory} has more than ${maxFiles} files.`);
    return { files: files.sort(), skipped: entries.length - files.length };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`There is no folder ${directory} that can be read.`, { cause });
  }
}
