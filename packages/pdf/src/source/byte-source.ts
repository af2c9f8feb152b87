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
      assertInside(offset, length, bytes.length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/**
 * A source over a file, which the caller has open: this package reads none.
 * @param size in bytes
 * @param readSome reads at `position` of the file into `into`, from `start` on, and answers how many bytes came, 0 at the
 * end of the file: `readSync(fd, into, start, into.length - start, position)`
 * @param toError what is thrown when the file ends before its size
 */
export function createFileSource(
  size: number,
  readSome: (into: Uint8Array, start: number, position: number) => number,
  toError: () => Error,
): ByteSource & Required<Pick<ByteSource, 'readInto'>> {
  const readInto = (offset: number, into: Uint8Array): void => {
    assertInside(offset, into.length, size);
    for (let done = 0; done < into.length; ) {
      const count = readSome(into, done, offset + done);
      if (count === 0) throw toError();
      done += count;
    }
  };
  const read = (offset: number, length: number): Uint8Array => {
    assertInside(offset, length, size);
    const bytes = Buffer.allocUnsafe(length);
    readInto(offset, bytes);
    return bytes;
  };
  return { size, read, readInto };
}

function assertInside(offset: number, length: number, size: number): void {
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new RangeError(`bytes ${offset} to ${offset + length} of ${size}`);
  }
}
