import { createHash } from 'node:crypto';
import { SigillumError } from '@sigillum/errors';
import { parseDocument } from 'yaml';
import { type Plan, planSchema } from './plan.ts';

/** A plan has some tens of lines; a thousand revoked certificates take 100 KB. */
const maxPlanBytes = 256 * 1024;

/** A plan with the bytes it was read from: they are what is confirmed and what the transcript keeps. */
export type ParsedPlan = {
  readonly plan: Plan;
  readonly text: string;
  /** SHA-256 of the text, lowercase hex. */
  readonly sha256: string;
};

/** Reads a ceremony file. Throws `ceremony_plan_invalid` with every problem at once. */
export function parsePlan(text: string, name: string): ParsedPlan {
  if (Buffer.byteLength(text) > maxPlanBytes) {
    throw new SigillumError('ceremony_plan_invalid', `${name} has more than ${maxPlanBytes} bytes.`);
  }
  // Aliases are of no use in a plan, and people must see what they confirm where it stands.
  const document = parseDocument(text, { uniqueKeys: true, strict: true });
  const yamlProblems = [...document.errors, ...document.warnings].map(({ message }) => message.trimEnd());
  if (yamlProblems.length > 0) throw invalid(name, yamlProblems);
  const result = planSchema.safeParse(toValue(document, name));
  if (!result.success) {
    throw invalid(
      name,
      result.error.issues.map(({ path, message }) => `/${path.map(String).join('/')}: ${message}`),
    );
  }
  return { plan: result.data, text, sha256: createHash('sha256').update(text).digest('hex') };
}

/** The same plan with one more setting, for what the tool decides itself: the new text is what the transcript keeps. */
export function amendPlan(plan: ParsedPlan, changes: Readonly<Record<string, boolean>>, name: string): ParsedPlan {
  const document = parseDocument(plan.text);
  for (const [key, value] of Object.entries(changes)) document.set(key, value);
  return parsePlan(String(document), name);
}

function toValue(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new SigillumError('ceremony_plan_invalid', `${name} uses aliases: write everything where it belongs.`, {
      cause,
    });
  }
}

function invalid(name: string, problems: readonly string[]): SigillumError {
  const lines = problems.map((problem) => `  ${problem}`).join('\n');
  return new SigillumError('ceremony_plan_invalid', `${name} is not a ceremony that can be run:\n${lines}`);
}
