import { nextHash, startOfChain } from '@sigillum/audit';
import { sql } from 'kysely';
import { type Database, type Executor, inTransaction } from '../database/open-database.ts';
import type { Tenant } from '../database/schema.ts';
import { getEventChainId } from './event-chain-id.ts';

/** One transaction chains at most so many events: a backlog is worked off in steps, not in one long lock. */
const maxBatch = 500;

/**
 * Chains what the journals hold unchained, one batch for each organisation and mode. Any number of processes may call
 * it: an advisory lock lets one at a time into a chain, and the others pass on.
 *
 * @returns how many events were chained; call again at once when it is above 0, else in a second
 */
export async function chainEvents(db: Database): Promise<number> {
  const tenants = await db.selectFrom('unchained_events').select(['organisation_id', 'mode']).distinct().execute();
  let chained = 0;
  for (const { organisation_id: organisationId, mode } of tenants) {
    chained += await inTransaction(db, (transaction) => chainBatch(transaction, { organisationId, mode }));
  }
  return chained;
}

async function chainBatch(transaction: Executor, tenant: Tenant): Promise<number> {
  const chainId = getEventChainId(tenant);
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${chainId}, 0)) as locked`.execute(transaction);
  if (rows[0]?.locked !== true) return 0;
  const events = await transaction
    .selectFrom('unchained_events')
    .innerJoin('events', (join) =>
      join
        .onRef('events.organisation_id', '=', 'unchained_events.organisation_id')
        .onRef('events.mode', '=', 'unchained_events.mode')
        .onRef('events.id', '=', 'unchained_events.event_id'),
    )
    .select(['events.id', 'events.bytes'])
    .where('unchained_events.organisation_id', '=', tenant.organisationId)
    .where('unchained_events.mode', '=', tenant.mode)
    .orderBy('events.id')
    .limit(maxBatch)
    .execute();
  if (events.length === 0) return 0;
  const head = await transaction
    .selectFrom('event_chain')
    .select(['sequence', 'hash'])
    .where('organisation_id', '=', tenant.organisationId)
    .where('mode', '=', tenant.mode)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  let sequence = head?.sequence ?? 0;
  let previous: Uint8Array = head?.hash ?? startOfChain(chainId);
  const links = events.map((event) => {
    const hash = nextHash(previous, event.bytes);
    sequence += 1;
    const link = {
      organisation_id: tenant.organisationId,
      mode: tenant.mode,
      sequence,
      event_id: event.id,
      previous: Buffer.from(previous),
      hash: Buffer.from(hash),
    };
    previous = hash;
    return link;
  });
  await transaction.insertInto('event_chain').values(links).execute();
  await transaction
    .deleteFrom('unchained_events')
    .where('organisation_id', '=', tenant.organisationId)
    .where('mode', '=', tenant.mode)
    .where(
      'event_id',
      'in',
      events.map((event) => event.id),
    )
    .execute();
  return events.length;
}
