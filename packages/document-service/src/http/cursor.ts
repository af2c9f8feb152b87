import { SigillumError } from '@sigillum/errors';
import { encodeId, findUuid, type IdPrefix } from '@sigillum/store';
import { z } from 'zod';

/** Rows of one page at most. */
const maxLimit = 100;

/** `limit` and `cursor`, as every list takes them. */
export const pageSchema = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'Must be a number.')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= maxLimit, `Must lie between 1 and ${maxLimit}.`)
    .default(20)
    .meta({
      description: 'Entries of a page.',
      override: { type: 'integer', minimum: 1, maximum: maxLimit, default: 20 },
    }),
  cursor: z.string().max(100).optional().meta({ description: '`next_cursor` of the page before.' }),
});

/** Where the next page begins: opaque to callers, so that we may change it. */
export function encodeCursor(prefix: IdPrefix, uuid: string): string {
  return Buffer.from(encodeId(prefix, uuid), 'latin1').toString('base64url');
}

/** The UUID after which a page begins. @throws SigillumError `request_invalid` for what {@link encodeCursor} didn't write */
export function parseCursor(prefix: IdPrefix, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const uuid = findUuid(prefix, text);
  if (uuid !== undefined && encodeCursor(prefix, uuid) === cursor) return uuid;
  throw new SigillumError('request_invalid', 'The cursor is not one of this list.', {
    fields: [{ pointer: '/query/cursor', detail: 'Is not the next_cursor of a page of this list.' }],
  });
}

/** Cuts a page to its limit: repositories are asked for one row more, which tells whether there is a next page. */
export function toPage<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  options: { readonly limit: number; readonly prefix: IdPrefix; readonly toItem: (row: Row) => Item },
): { data: Item[]; next_cursor: string | null } {
  const kept = rows.slice(0, options.limit);
  const last = kept.at(-1);
  const next = rows.length > options.limit && last !== undefined ? encodeCursor(options.prefix, last.id) : null;
  return { data: kept.map(options.toItem), next_cursor: next };
}
