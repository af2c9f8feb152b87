import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type FoundJudge, findJudges } from './find-judges.ts';
import {
  defaultLimitMs,
  type JudgeName,
  type JudgeOptions,
  type Judgement,
  type Opinion,
  type Word,
} from './judgement.ts';
import { LineProcess } from './line-process.ts';
import { reachVerdict } from './reach-verdict.ts';
import { readDerValues, toPem } from './read-credentials.ts';
import { runProgram } from './run-program.ts';
import {
  judgeByOpensslCms,
  judgeByOpensslTs,
  judgeByPdfsig,
  judgeByQpdf,
  type SystemCase,
  type SystemWord,
} from './system-judges.ts';

const systemJudges: Partial<Record<JudgeName, (one: SystemCase) => Promise<SystemWord>>> = {
  'openssl-cms': judgeByOpensslCms,
  'openssl-ts': judgeByOpensslTs,
  pdfsig: judgeByPdfsig,
  qpdf: judgeByQpdf,
};

/** Where the programs of a Debian system lie, for callers that hand in no PATH of their own. */
const defaultSearchPath = '/usr/local/bin:/usr/bin:/bin';

/** Files in work at a time. The judges that stay take one after the other anyway; the rest are milliseconds. */
const filesAtATime = 2;

type Anchors = {
  readonly roots: string[];
  readonly crls: string[];
  readonly rootsPem: string;
  readonly nssDirectory: string;
};

/**
 * The outside judges of this machine, kept running from file to file (a JVM takes a second to start). Close it.
 *
 * @example
 * const judges = Judges.open();
 * const [judgement] = await judges.judge(['sealed.pdf'], { roots: ['root.pem'], crls: ['all.crl.pem'] });
 * await judges.close();
 */
export class Judges {
  /** Those that can't be used here, with the reason. */
  readonly missing: readonly { readonly judge: JudgeName; readonly missing: string }[];
  readonly #found: readonly FoundJudge[];
  readonly #searchPath: string;
  readonly #processes = new Map<JudgeName, LineProcess>();
  readonly #directory = mkdtempSync(join(tmpdir(), 'judges-'));
  readonly #anchors = new Map<string, Promise<Anchors>>();
  #cases = 0;

  private constructor(found: readonly FoundJudge[], searchPath: string) {
    this.#found = found;
    this.#searchPath = searchPath;
    this.missing = found.filter((one) => 'missing' in one);
    for (const one of found) {
      if ('command' in one && systemJudges[one.judge] === undefined) {
        this.#processes.set(one.judge, new LineProcess(one.command));
      }
    }
  }

  /** Looks which judges are here; they start with their first file. `only`: fewer judges than all. */
  static open(options: { readonly only?: readonly JudgeName[]; readonly searchPath?: string } = {}): Judges {
    const searchPath = options.searchPath ?? defaultSearchPath;
    return new Judges(findJudges(searchPath, options.only), searchPath);
  }

  /** One judgement a file, in the order of the files. Throws only when a judge itself can't work. */
  async judge(files: readonly string[], options: JudgeOptions): Promise<Judgement[]> {
    const judgements: Judgement[] = [];
    let next = 0;
    const work = async () => {
      for (let index = next++; index < files.length; index = next++) {
        judgements[index] = await this.#judgeFile(files[index] ?? '', options);
      }
    };
    await Promise.all(Array.from({ length: filesAtATime }, work));
    return judgements;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.close()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #judgeFile(file: string, options: JudgeOptions): Promise<Judgement> {
    const anchors = await this.#prepareAnchors(options);
    const slow = Promise.all(
      this.#found
        .filter(({ judge }) => systemJudges[judge] === undefined)
        .map((one) => this.#ask(one, file, options, anchors)),
    );
    // Only a judge that reads PDF knows which range belongs to a field's name.
    const selection = typeof options.only === 'object' ? (await slow).flatMap(signedEnds) : (options.only ?? 'all');
    const quick = await Promise.all(
      this.#found
        .filter(({ judge }) => systemJudges[judge] !== undefined)
        .map((one) => this.#run(one, file, options, anchors, selection)),
    );
    const said = new Map([...(await slow), ...quick].map((opinion) => [opinion.judge, opinion]));
    const opinions = this.#found.flatMap(({ judge }) => said.get(judge) ?? []);
    return { file, verdict: reachVerdict(opinions), opinions };
  }

  async #ask(one: FoundJudge, file: string, options: JudgeOptions, anchors: Anchors): Promise<Opinion> {
    if ('missing' in one) return { judge: one.judge, word: 'missing', reasons: [one.missing], milliseconds: 0 };
    const limitMs = options.limitMs ?? defaultLimitMs;
    const { roots, crls } = anchors;
    const { only, level, flavour, lenient } = options;
    const question = { file: resolve(file), roots, crls, only, level, flavour, lenient, limitMs };
    const answer = await this.#processes.get(one.judge)?.ask(question, limitMs);
    if (answer === undefined) {
      return {
        judge: one.judge,
        word: 'refuse',
        reasons: ['the judge died or hung on this file'],
        milliseconds: limitMs,
      };
    }
    const { id: _id, ms, ...said } = answer as Omit<Opinion, 'judge' | 'milliseconds'> & { id: unknown; ms: number };
    // A broken claim of PDF/A is no broken seal, unless the caller asked for the flavour.
    const aside = one.judge === 'verapdf' && flavour === undefined && said.word === 'refuse';
    return { judge: one.judge, ...said, word: aside ? 'abstain' : said.word, milliseconds: ms };
  }

  async #run(
    one: FoundJudge,
    file: string,
    options: JudgeOptions,
    anchors: Anchors,
    selection: SystemCase['selection'],
  ): Promise<Opinion> {
    const { judge } = one;
    if ('missing' in one) return { judge, word: 'missing', reasons: [one.missing], milliseconds: 0 };
    const started = performance.now();
    const directory = mkdtempSync(join(this.#directory, `case-${this.#cases++}-`));
    try {
      const { rootsPem, nssDirectory } = anchors;
      const limitMs = options.limitMs ?? defaultLimitMs;
      const searchPath = this.#searchPath;
      const one = { file: resolve(file), directory, rootsPem, nssDirectory, selection, limitMs, searchPath };
      const said: SystemWord = (await systemJudges[judge]?.(one)) ?? { word: 'abstain', reasons: [] };
      return { judge, ...said, milliseconds: Math.round(performance.now() - started) };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** Roots and CRLs of a set of paths, read once; a pdfsig database made of them when pdfsig is here. */
  #prepareAnchors(options: JudgeOptions): Promise<Anchors> {
    const key = JSON.stringify([options.roots, options.crls]);
    const known = this.#anchors.get(key);
    if (known !== undefined) return known;
    const made = this.#makeAnchors(options);
    this.#anchors.set(key, made);
    return made;
  }

  async #makeAnchors({ roots: rootPaths, crls: crlPaths }: JudgeOptions): Promise<Anchors> {
    const roots = readDerValues(rootPaths);
    const directory = mkdtempSync(join(this.#directory, 'anchors-'));
    const rootsPem = join(directory, 'roots.pem');
    writeFileSync(rootsPem, toPem(roots));
    const usesPdfsig = this.#found.some((one) => one.judge === 'pdfsig' && 'command' in one);
    if (usesPdfsig) await this.#fillNssDatabase(directory, roots);
    return { roots, crls: readDerValues(crlPaths), rootsPem, nssDirectory: directory };
  }

  async #fillNssDatabase(directory: string, roots: readonly string[]): Promise<void> {
    const options = { limitMs: defaultLimitMs, searchPath: this.#searchPath, home: directory };
    const database = ['-d', `sql:${directory}`];
    await runProgram('certutil', ['-N', ...database, '--empty-password'], options);
    for (const [index, root] of roots.entries()) {
      const path = join(directory, `root-${index}.der`);
      writeFileSync(path, Buffer.from(root, 'base64'));
      await runProgram('certutil', ['-A', ...database, '-n', `root-${index}`, '-t', 'CT,C,C', '-i', path], options);
    }
  }
}

function signedEnds(opinion: Opinion): number[] {
  return (opinion.signatures ?? []).flatMap(({ byteRange }) =>
    byteRange?.length === 4 ? [(byteRange[2] ?? 0) + (byteRange[3] ?? 0)] : [],
  );
}

/** Starts the judges for these files alone. */
export async function judgeFiles(
  files: readonly string[],
  options: JudgeOptions & { readonly judges?: readonly JudgeName[]; readonly searchPath?: string },
): Promise<Judgement[]> {
  const { judges: only, searchPath, ...rest } = options;
  const judges = Judges.open({ ...(only && { only }), ...(searchPath !== undefined && { searchPath }) });
  try {
    return await judges.judge(files, rest);
  } finally {
    await judges.close();
  }
}

/** For tables and tests: one judge's word in a judgement. */
export function wordOf(judgement: Judgement, judge: JudgeName): Word | undefined {
  return judgement.opinions.find((opinion) => opinion.judge === judge)?.word;
}
