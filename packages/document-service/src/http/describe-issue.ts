import type { FieldProblem } from '@sigillum/errors';
import type { z } from 'zod';

/** What a schema found wrong, in sentences of ours: given to `safeParse` as `error`; a schema's own message wins over it. */
export function toSentence(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'Is needed.' : `Must be ${typeNames.get(issue.expected) ?? issue.expected}.`;
    case 'too_small':
      return issue.origin === 'string' && issue.minimum === 1
        ? 'Must not be empty.'
        : `Must ${boundOf(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin)}.`;
    case 'too_big':
      return `Must ${boundOf(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin)}.`;
    case 'invalid_value':
      return `Must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}.`;
    case 'unrecognized_keys':
      return 'Is not known here.';
    default:
      return 'Is not valid.';
  }
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['array', 'a list'],
]);

function boundOf(origin: string): string {
  return origin === 'string' || origin === 'array' ? 'have' : 'be';
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

/**
 * The problems of an issue with their pointers.
 * @param base pointer of the object that was parsed: `/query`, `/body/options`
 */
export function toFieldProblems(issue: z.core.$ZodIssue, base: string): readonly FieldProblem[] {
  const pointer = base + issue.path.map((part) => `/${escapePointer(String(part))}`).join('');
  if (issue.code !== 'unrecognized_keys') return [{ pointer, detail: issue.message }];
  const detail = base === '/query' ? 'Is not a parameter of this call.' : 'Is not known here.';
  return issue.keys.map((key) => ({ pointer: `${pointer}/${escapePointer(key)}`, detail }));
}

/** RFC 6901 §3. */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
