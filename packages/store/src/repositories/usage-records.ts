import type { Executor } from '../database/open-database.ts';
import type { SealKind, SealLevel, Tenant } from '../database/schema.ts';

/** Counts one completed seal or extension, in the transaction that completes it. */
export async function insertUsageRecord(
  transaction: Executor,
  usage: Tenant & {
    readonly sealId: string;
    readonly kind: SealKind;
    readonly level: SealLevel;
    readonly occurredAt: Date;
  },
): Promise<void> {
  await transaction
    .insertInto('usage_records')
    .values({
      organisation_id: usage.organisationId,
      mode: usage.mode,
      seal_id: usage.sealId,
      kind: usage.kind,
      level: usage.level,
      occurred_at: usage.occurredAt,
    })
    .execute();
}
