import { SigillumError } from '@sigillum/errors';

export function tooMuch(what: string): SigillumError {
  return new SigillumError(
    'appearance_anchor_limit_exceeded',
    `The document has ${what}, too much to search it for the anchor; give the page, or a rectangle instead of the anchor.`,
    { fields: [{ pointer: '/anchor', detail: 'can not be searched for in this document' }] },
  );
}
