import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '@sigillum/audit';

/**
 * SHA-256 over what was sent and the options as they were asked for: the same call again has the same fingerprint, whatever
 * its way in, the order of its options and the defaults that are spelled out. The credential counts by its id where it was
 * named, so that name and id are the same.
 *
 * @param document lower-case hex of the document's SHA-256, or what stands for it
 */
export function fingerprintRequest(
  document: string,
  options: Readonly<Record<string, unknown>>,
  credentialId: string | undefined,
): Uint8Array {
  const { credential: _named, ...others } = options;
  const given = Object.entries({ ...others, credential: credentialId }).filter(([, value]) => value !== undefined);
  const normalised = canonicalJson({ document, options: Object.fromEntries(given) as JsonObject });
  return createHash('sha256').update(normalised).digest();
}
