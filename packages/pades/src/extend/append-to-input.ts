import type { ByteSource } from '@sigillum/pdf';
import type { PrepareInput } from '../prepare/prepare-input.ts';

/** The input with an update behind it, as input of the next update: nothing is copied, and no byte is hashed twice. */
export function appendToInput({ source, prefixHash }: PrepareInput, update: Uint8Array): PrepareInput {
  return {
    source: appendToSource(source, update),
    prefixHash: {
      algorithm: prefixHash.algorithm,
      finish: (parts) => prefixHash.finish([update, ...parts]),
    },
  };
}

/** A file with some bytes behind it. What lies in one of the two is a view, only what crosses the border is copied. */
export function appendToSource(source: ByteSource, more: Uint8Array): ByteSource {
  const size = source.size + more.length;
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${size}`);
      }
      if (offset + length <= source.size) return source.read(offset, length);
      const start = offset - source.size;
      if (start >= 0) return more.subarray(start, start + length);
      const both = new Uint8Array(length);
      both.set(source.read(offset, -start));
      both.set(more.subarray(0, start + length), -start);
      return both;
    },
  };
}
