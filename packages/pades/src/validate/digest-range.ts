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
  const buffer = source.readInto && new Uint8Array(Math.min(validationLimits.chunk, Math.max(length, rest)));
  for (const [from, size] of [
    [start, length],
    [second, rest],
  ] as const) {
    for (let at = from; at < from + size; at += validationLimits.chunk) {
      hash.update(readPiece(source, at, Math.min(validationLimits.chunk, from + size - at), buffer));
    }
  }
  return hash.digest();
}

/** In the one buffer where the source can: new ones, a gigabyte of them, wait for the collector. */
function readPiece(source: ByteSource, at: number, length: number, buffer: Uint8Array | undefined): Uint8Array {
  const into = buffer?.subarray(0, length);
  if (into === undefined || source.readInto === undefined) return source.read(at, length);
  source.readInto(at, into);
  return into;
}
