import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type JudgeName, judgeNames } from './judgement.ts';
import type { LineCommand } from './line-process.ts';

/** How a judge is started here, or why it can't be. */
export type FoundJudge =
  | { readonly judge: JudgeName; readonly command: LineCommand }
  | { readonly judge: JudgeName; readonly missing: string };

/** The folder of the judges in this checkout. */
export const judgesDirectory = join(import.meta.dirname, '..', '..', '..', '..', 'test', 'judges');

/** Compiling little and one collector thread: a judge lives for seconds beside others on two cores. */
const javaOptions = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx1g', '-Djava.awt.headless=true'];

const systemPrograms: Partial<Record<JudgeName, string>> = {
  'openssl-cms': 'openssl',
  'openssl-ts': 'openssl',
  pdfsig: 'pdfsig',
  qpdf: 'qpdf',
};

/** Which judges this machine has; nothing is started. `searchPath` is what PATH holds. */
export function findJudges(searchPath: string, names: readonly JudgeName[] = judgeNames): FoundJudge[] {
  return judgeNames.filter((name) => names.includes(name)).map((judge) => findJudge(judge, searchPath));
}

function findJudge(judge: JudgeName, searchPath: string): FoundJudge {
  if (judge === 'dss' || judge === 'verapdf') return findJavaJudge(judge, searchPath);
  if (judge === 'pyhanko') {
    const python = join(judgesDirectory, '.venv', 'bin', 'python');
    if (!existsSync(python)) return { judge, missing: 'not installed: bash scripts/install-judges.sh' };
    return { judge, command: { program: python, args: [join(judgesDirectory, 'pyhanko', 'judge.py')], searchPath } };
  }
  const program = systemPrograms[judge] ?? judge;
  if (!isOnPath(program, searchPath)) return { judge, missing: `${program} is not on this machine` };
  if (judge === 'pdfsig' && !isOnPath('certutil', searchPath)) {
    return { judge, missing: 'certutil (libnss3-tools) is not on this machine' };
  }
  return { judge, command: { program, args: [], searchPath } };
}

function findJavaJudge(judge: 'dss' | 'verapdf', searchPath: string): FoundJudge {
  const target = join(judgesDirectory, judge, 'target');
  if (!isOnPath('java', searchPath)) return { judge, missing: 'java is not on this machine' };
  // The stamp is written last: without it a build was cut short.
  if (!existsSync(join(target, 'installed'))) return { judge, missing: 'not built: bash scripts/install-judges.sh' };
  const archive = join(target, 'judge.jsa');
  // Loaded classes kept from the installation; when it doesn't fit this JVM it is silently left out.
  const shared = existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`, '-Xshare:auto', '-Xlog:disable'] : [];
  const classPath = `${join(target, 'judge.jar')}${delimiter}${join(target, 'lib', '*')}`;
  const args = [...javaOptions, ...shared, '-cp', classPath, 'sigillum.judge.Main'];
  return { judge, command: { program: 'java', args, searchPath } };
}

function isOnPath(program: string, searchPath: string): boolean {
  return searchPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
