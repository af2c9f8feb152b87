import { type ChainHead, type ChainReport, ChainVerifier, encodeChainLine } from '@sigillum/audit';
import { sql } from 'kysely';
import type { Database } from '../database/open-database.ts';
import type { Tenant } from '../database/schema.ts';
import { getEventChainId } from './event-chain-id.ts';

/** The facts about one journal. */
export type JournalReport = ChainReport & {
  /** Events that no link of the chain names, and how long the oldest has waited. A second is normal; a minute is not. */
  readonly unchained: { readonly count: number; readonly oldestAgeMs: number };
};

/** Rows read at a time: a journal may be larger than memory. */
const pageSize = 1_000;

/**
 * Recomputes the chain of one organisation and mode from the stored bytes. A shortened end is only found with
 * `expectedHead`, which somebody else has to keep (a time-stamped head).
 */
export async function verifyEvents(
  db: Database,
  tenant: Tenant,
  options: { readonly expectedHead?: ChainHead; readonly now?: Date } = {},
): Promise<JournalReport> {
  const verifier = new ChainVerifier({
    chain: getEventChainId(tenant),
    ...(options.expectedHead === undefined ? {} : { expectedHead: options.expectedHead }),
  });
  let after = 0;
  for (;;) {
    const page = await readLinks(db, tenant, after);
    for (const link of page) {
      verifier.add(
        encodeChainLine({
          sequence: link.sequence,
          previous: link.previous,
          hash: link.hash,
          eventBytes: link.bytes,
        }),
      );
      after = link.sequence;
    }
    if (page.length < pageSize) break;
  }
  return { ...verifier.finish(), unchained: await readUnchained(db, tenant, options.now ?? new Date()) };
}

function readLinks(db: Database, tenant: Tenant, after: number) {
  return db
    .selectFrom('event_chain')
    .innerJoin('events', (join) =>
      join
        .onRef('events.organisation_id', '=', 'event_chain.organisation_id')
        .onRef('events.mode', '=', 'event_chain.mode')
        .onRef('events.id', '=', 'event_chain.event_id'),
    )
    .select(['event_chain.sequence', 'event_chain.previous', 'event_chain.hash', 'events.bytes'])
    .where('event_chain.organisation_id', '=', tenant.organisationId)
    .where('event_chain.mode', '=', tenant.mode)
    .where('event_chain.sequence', '>', after)
    .orderBy('event_chain.sequence')
    .limit(pageSize)
    .execute();
}

/** Asks the events themselves, not the notes in `unchained_events`, which the application may delete. */
async function readUnchained(db: Database, tenant: Tenant, now: Date): Promise<JournalReport['unchained']> {
  const { rows } = await sql<{ count: number; oldest: Date | null }>`
    select count(*) as count, min(e.occurred_at) as oldest from events e
    where e.organisation_id = ${tenant.organisationId} and e.mode = ${tenant.mode}
      and not exists (select 1 from event_chain c
        where c.organisation_id = e.organisation_id and c.mode = e.mode and c.event_id = e.id)`.execute(db);
  const row = rows[0];
  const oldest = row?.oldest ?? undefined;
  return {
    count: row?.count ?? 0,
    oldestAgeMs: oldest === undefined ? 0 : Math.max(0, now.getTime() - oldest.getTime()),
  };
}
