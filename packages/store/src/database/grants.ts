/** What the application's role may do, table by table; what is not here it may not. It owns nothing. */
export const grants: Readonly<Record<string, readonly ('select' | 'insert' | 'update' | 'delete')[]>> = {
  organisations: ['select', 'insert'],
  api_keys: ['select', 'insert', 'update'],
  credentials: ['select', 'insert', 'update'],
  seals: ['select', 'insert', 'update'],
  idempotency_keys: ['select', 'insert', 'update', 'delete'],
  // The journal, its chain and the usage are written once.
  events: ['select', 'insert'],
  event_chain: ['select', 'insert'],
  usage_records: ['select', 'insert'],
  unchained_events: ['select', 'insert', 'delete'],
  rate_limits: ['select', 'insert', 'update', 'delete'],
  kysely_migration: ['select'],
};
