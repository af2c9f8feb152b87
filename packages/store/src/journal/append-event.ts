import { canonicalJson, type JsonObject } from '@sigillum/audit';
import { sql } from 'kysely';
import type { Executor } from '../database/open-database.ts';
import type { Tenant } from '../database/schema.ts';
import { encodeId } from '../ids/public-id.ts';
import { createUuid } from '../ids/uuid-v7.ts';

/** One entry of the journal. `data` holds ids, sizes, hashes and codes; no personal data in clear, no secret. */
export type EventEntry = Tenant & {
  /** Dotted and past tense: `seal.completed`. */
  readonly type: string;
  readonly occurredAt: Date;
  readonly requestId?: string;
  readonly data: JsonObject;
};

/**
 * Writes an event in the caller's transaction: it exists exactly when the business does. It is chained at most about a
 * second later (`chainEvents`), so that nobody on the sealing path waits for the head of a chain.
 *
 * @returns the event's UUID
 */
export async function appendEvent(transaction: Executor, entry: EventEntry): Promise<string> {
  const id = createUuid(entry.occurredAt.getTime());
  const { organisationId, mode, type, occurredAt, requestId } = entry;
  const bytes = canonicalJson({
    id: encodeId('evt', id),
    type,
    time: occurredAt.toISOString(),
    organisation: encodeId('org', organisationId),
    mode,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    data: entry.data,
  });
  // Both rows in one statement: half the round trips of two.
  await sql`
    with event as (
      insert into events (organisation_id, mode, id, type, occurred_at, bytes)
      values (${organisationId}, ${mode}, ${id}, ${type}, ${occurredAt}, ${Buffer.from(bytes)})
      returning organisation_id, mode, id)
    insert into unchained_events (organisation_id, mode, event_id)
    select organisation_id, mode, id from event`.execute(transaction);
  return id;
}
