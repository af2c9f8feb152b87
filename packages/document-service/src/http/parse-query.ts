import { type FieldProblem, SigillumError } from '@sigillum/errors';
import type { z } from 'zod';
import { escapePointer } from './describe-issue.ts';
import { parseFields } from './parse-fields.ts';

/**
 * The parameters of a URL's query as they stand there.
 * @throws SigillumError `request_invalid` with a pointer `/query/<name>` for each repeated parameter
 */
export function readQuery(url: string): Readonly<Record<string, string>> {
  const start = url.indexOf('?');
  const values = new Map<string, string>();
  const problems: FieldProblem[] = [];
  for (const [name, value] of new URLSearchParams(start === -1 ? '' : url.slice(start + 1))) {
    if (values.has(name)) {
      problems.push({ pointer: `/query/${escapePointer(name)}`, detail: 'Is given more than once.' });
    }
    values.set(name, value);
  }
  if (problems.length > 0) {
    throw new SigillumError('request_invalid', 'The query of the URL is not valid.', { fields: problems });
  }
  // Own properties whatever their names: `__proto__` too.
  return Object.fromEntries(values);
}

/**
 * Parses the query of a URL by a strict schema.
 * @throws SigillumError `request_invalid` with a pointer `/query/<name>` for each wrong, unknown or repeated parameter
 */
export function parseQuery<Schema extends z.ZodObject>(url: string, schema: Schema): z.output<Schema> {
  return parseFields(readQuery(url), schema, '/query');
}
