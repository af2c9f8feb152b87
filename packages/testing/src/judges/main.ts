import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeJudgement } from './describe-judgement.ts';
import { type JudgeName, judgeNames, type JudgeOptions } from './judgement.ts';
import { Judges } from './judges.ts';

const usage = `npm run judge -- FILES [options]
  --root PEM       trust anchor, may be given several times (default: the running development home's)
  --crl PEM        revocation list, may be given several times (default likewise)
  --only-last      judge the last signature only, for files that others signed before
  --field NAME     judge the signature in this field only
  --level LEVEL    the exact level, for example PAdES-BASELINE-T
  --flavour 2b     the PDF/A flavour that the file must keep
  --lenient        let pyHanko read damaged files
  --judge NAME     only this judge, may be given several times: ${judgeNames.join(' ')}
  --limit SECONDS  for each judge and file (default 20)
  --json           everything the judges say, one JSON object a line
Prints a line per file. Exit: 0 all accepted, 1 something else, 2 usage.`;

/** The command line of the judges; `environment` and `checkout` come from the script that starts it. */
export async function runJudgeCommand(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  checkout: string,
): Promise<number> {
  const parsed = parse(argv);
  if (typeof parsed === 'string') return complain(`${parsed}\n\n${usage}`);
  const { values, files } = parsed;
  if (values.help === true || files.length === 0) return complain(usage);
  const unknown = values.judge?.find((name) => !judgeNames.some((known) => known === name));
  if (unknown !== undefined) return complain(`There is no judge ${unknown}; there are ${judgeNames.join(', ')}.`);
  const anchors = readAnchors(values.root ?? [], values.crl ?? [], checkout);
  if (anchors === undefined) return complain('Give --root PEM, or start the development home first.');
  const absent = [...files, ...anchors.roots, ...anchors.crls].find((path) => !existsSync(path));
  if (absent !== undefined) return complain(`There is no file ${absent}.`);

  const only = judgeNames.filter((name): name is JudgeName => values.judge?.includes(name) ?? true);
  const judges = Judges.open({ only, ...(environment['PATH'] !== undefined && { searchPath: environment['PATH'] }) });
  try {
    for (const { judge, missing } of judges.missing) console.error(`Without ${judge}: ${missing}.`);
    if (environment['CI'] === 'true' && judges.missing.length > 0) return 1;
    const options: JudgeOptions = {
      ...anchors,
      only: values.field !== undefined ? { field: values.field } : values['only-last'] === true ? 'last' : 'all',
      lenient: values.lenient ?? false,
      ...(values.level !== undefined && { level: values.level }),
      ...(values.flavour !== undefined && { flavour: values.flavour }),
      ...(values.limit !== undefined && { limitMs: Number(values.limit) * 1000 }),
    };
    let accepted = true;
    // In portions, so that many files show their lines while the rest is still judged.
    for (let at = 0; at < files.length; at += filesPerPortion) {
      for (const judgement of await judges.judge(files.slice(at, at + filesPerPortion), options)) {
        accepted &&= judgement.verdict === 'accept';
        console.log(values.json === true ? JSON.stringify(judgement) : describeJudgement(judgement));
      }
    }
    return accepted ? 0 : 1;
  } finally {
    await judges.close();
  }
}

const filesPerPortion = 8;

function parse(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        root: { type: 'string', multiple: true },
        crl: { type: 'string', multiple: true },
        judge: { type: 'string', multiple: true },
        'only-last': { type: 'boolean' },
        field: { type: 'string' },
        level: { type: 'string' },
        flavour: { type: 'string' },
        limit: { type: 'string' },
        lenient: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.limit !== undefined && !(Number(values.limit) > 0)) return '--limit wants a number of seconds.';
    return { values, files: positionals };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What was given, or what the running development home says of itself in ready.json. */
function readAnchors(roots: readonly string[], crls: readonly string[], checkout: string) {
  if (roots.length > 0) return { roots, crls };
  const home = join(checkout, '.sigillum');
  const path = join(home, 'run', 'ready.json');
  if (!existsSync(path)) return undefined;
  const ready: { root_certificate: string; crls: string[] } = JSON.parse(readFileSync(path, 'utf8'));
  return {
    roots: [resolve(home, ready.root_certificate)],
    crls: [...crls, ...ready.crls.map((crl) => resolve(home, crl))],
  };
}

function complain(message: string): number {
  console.error(message);
  return 2;
}
