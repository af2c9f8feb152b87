import type { IncrementalUpdate } from '@sigillum/pdf';
import { encodeByteRange, type SignatureDictionary } from './make-signature-dictionary.ts';
import type { PrepareInput } from './prepare-input.ts';
import type { PreparedSignature } from './prepared-signature.ts';

/** Encodes the update with a signature dictionary in it, fills in its ByteRange, and takes the digest over that. */
export function finishPreparation(
  { source, prefixHash }: PrepareInput,
  update: IncrementalUpdate,
  signature: Pick<SignatureDictionary, 'byteRange' | 'contents'>,
  facts: Pick<PreparedSignature, 'contentsSize' | 'fieldName' | 'earlierSignatures'>,
): PreparedSignature {
  const { bytes: increment, positions } = update.encode();
  const contentsStart = getPosition(positions, signature.contents);
  const contentsEnd = contentsStart + signature.contents.bytes.length;
  const { size } = source;
  const byteRange = [0, size + contentsStart, size + contentsEnd, increment.length - contentsEnd] as const;
  increment.set(encodeByteRange(byteRange), getPosition(positions, signature.byteRange));
  return Object.freeze({
    increment,
    byteRange: Object.freeze(byteRange),
    contentsOffset: size + contentsStart,
    digestAlgorithm: prefixHash.algorithm,
    digest: prefixHash.finish([increment.subarray(0, contentsStart), increment.subarray(contentsEnd)]),
    ...facts,
  });
}

function getPosition<Key>(positions: ReadonlyMap<Key, number>, key: Key): number {
  const position = positions.get(key);
  if (position === undefined) throw new RangeError('a placeholder was not written');
  return position;
}
