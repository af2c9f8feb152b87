import { SigillumError } from '@sigillum/errors';
import type { Executor } from '../database/open-database.ts';
import { createUuid } from '../ids/uuid-v7.ts';

/** The UUID of the organisation of that name, which is made when it isn't there. */
export async function ensureOrganisation(db: Executor, name: string): Promise<string> {
  await db
    .insertInto('organisations')
    .values({ id: createUuid(), name })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const row = await db.selectFrom('organisations').select('id').where('name', '=', name).executeTakeFirst();
  if (row === undefined) throw new SigillumError('internal_error', 'The organisation vanished while it was made.');
  return row.id;
}
