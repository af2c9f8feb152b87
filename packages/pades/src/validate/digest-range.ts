import { createHash } from 'node:crypto';
import type { DigestName } from '@sigillum/algorithms';
import type { ByteSource } from '@sigillum/pdf';
import type { ByteRange } from './read-signature-dictionary.ts';
import { validationLimits } from './validation-limits.ts';

/** The digest over a ByteRange, read piece by piece. */
export function digestRange(
  source: ByteSource,
  [start, length, second, rest]: ByteRange,
  name: DigestName,
): Uint8Array {
  const hash = createHash(name);
  for (const [from, size] of [
    [start, length],
    [second, rest],
  ] as const) {
    for (let at = from; at < from + size; at += validationLimits.chunk) {
      hash.update(source.read(at, Math.min(validationLimits.chunk, from + size - at)));
    }
  }
  return hash.digest();
}
