/** Random access to the bytes of a file whose size is known. Synchronous; the apps adapt arrays and file descriptors to it. */
export type ByteSource = {
  /** Length of the file, in bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws RangeError when they reach outside. The caller doesn't change them. */
  read(offset: number, length: number): Uint8Array;
  /** Fills `into` from `offset`, else as `read`: for who goes through gigabytes with one buffer. Files have it, memory needs none. */
  readInto?(offset: number, into: Uint8Array): void;
};

/** A source over bytes in memory. What it returns are views, not copies. */
export function createArraySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${bytes.length}`);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}
