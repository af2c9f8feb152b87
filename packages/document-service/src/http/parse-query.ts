import { type FieldProblem, SigillumError } from '@sigillum/errors';
import type { z } from 'zod';

/**
 * Parses the query of a URL by a strict schema.
 * @throws SigillumError `request_invalid` with a pointer `/query/<name>` for each wrong, unknown or repeated parameter
 */
export function parseQuery<Schema extends z.ZodObject>(url: string, schema: Schema): z.output<Schema> {
  const start = url.indexOf('?');
  const parameters = new URLSearchParams(start === -1 ? '' : url.slice(start + 1));
  const values = new Map<string, string>();
  const problems: FieldProblem[] = [];
  for (const [name, value] of parameters) {
    if (values.has(name)) problems.push({ pointer: toPointer(name), detail: 'Is given more than once.' });
    values.set(name, value);
  }
  const result = schema.safeParse(Object.fromEntries(values));
  if (!result.success) problems.push(...result.error.issues.flatMap((issue) => [...describe(issue)]));
  if (!result.success || problems.length > 0) {
    throw new SigillumError('request_invalid', 'The query of the URL is not valid.', { fields: problems });
  }
  return result.data;
}

function* describe(issue: z.core.$ZodIssue): Generator<FieldProblem> {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) yield { pointer: toPointer(key), detail: 'Is not a parameter of this call.' };
    return;
  }
  yield { pointer: toPointer(String(issue.path[0] ?? '')), detail: issue.message };
}

/** RFC 6901 §3. */
function toPointer(name: string): string {
  return `/query/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
