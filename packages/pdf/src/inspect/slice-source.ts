import type { ByteSource } from '../source/byte-source.ts';

/** The first `size` bytes of a source: a file as it was before updates were appended. */
export function sliceSource(source: ByteSource, size: number): ByteSource {
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${size}`);
      }
      return source.read(offset, length);
    },
  };
}
