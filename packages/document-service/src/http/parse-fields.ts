import { SigillumError } from '@sigillum/errors';
import type { z } from 'zod';
import { toFieldProblems, toSentence } from './describe-issue.ts';

/**
 * Parses an object of a request by a strict schema.
 * @param base JSON Pointer to where the object stands: `/query`, `/body`, `/body/options`
 * @throws SigillumError `request_invalid` with a pointer for each wrong or unknown field
 */
export function parseFields<Schema extends z.ZodObject>(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  base: string,
): z.output<Schema> {
  const result = schema.safeParse(value, { error: toSentence });
  if (result.success) return result.data;
  const what = base === '/query' ? 'The query of the URL is not valid.' : 'The body is not valid.';
  throw new SigillumError('request_invalid', what, {
    fields: result.error.issues.flatMap((issue) => toFieldProblems(issue, base)),
  });
}
