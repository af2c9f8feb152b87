import type { TokenSetup } from './token-setup.ts';
import type { WorkItem } from './work-item.ts';

/**
 * The end of a digest whose signature doesn't verify: it never leaves, and its key is out of use until a person has
 * looked.
 */
export function refuseWrong(
  item: WorkItem,
  executionMs: number,
  { registry, metrics, logger, token }: Pick<TokenSetup, 'registry' | 'metrics' | 'logger' | 'token'>,
): void {
  const fields = { key_id: item.key.keyId, token: token.label };
  try {
    registry.quarantine(item.key.keyId);
  } catch (error) {
    logger.error('a quarantine could not be written: a restart would forget it', { ...fields, error });
  }
  metrics.wrongSignatures.inc({ algorithm: item.key.algorithm });
  metrics.quarantinedKeys.set(registry.quarantinedCount);
  // Never tried again silently: a fault or an attack, and both need a person.
  logger.error('wrong signature from the HSM, key quarantined', fields);
  item.fail('signer_signature_wrong', executionMs);
}
