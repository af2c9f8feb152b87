import type { DigestName } from '@sigillum/algorithms';
import type { PreparedSignature } from '@sigillum/pades';

/**
 * A prepared signature of which only the digest is known: its update is nothing but the room for the CMS, so that all steps
 * after preparing, and their checks, are those of any other seal.
 */
export function prepareDetached(
  digest: Uint8Array,
  digestAlgorithm: DigestName,
  contentsSize: number,
): PreparedSignature {
  const increment = new Uint8Array(contentsSize * 2 + 2).fill(0x30);
  return Object.freeze({
    increment,
    byteRange: [0, 0, increment.length, 0] as const,
    contentsOffset: 0,
    contentsSize,
    digestAlgorithm,
    digest,
    fieldName: '',
    earlierSignatures: [],
  });
}
