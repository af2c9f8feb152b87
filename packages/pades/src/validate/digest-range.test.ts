import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createArraySource } from '@sigillum/pdf';
import { digestRange } from './digest-range.ts';

describe('the digest over a ByteRange', () => {
  const bytes = Uint8Array.from({ length: 3 * 1024 * 1024 + 7 }, (_, index) => (index * 31) % 251);
  const expected = createHash('sha256').update(bytes.subarray(0, 1_500_000)).update(bytes.subarray(1_600_000)).digest();
  const range = [0, 1_500_000, 1_600_000, bytes.length - 1_600_000] as const;
  const memory = createArraySource(bytes);

  test('takes pieces of memory as they are', () => {
    expect(Buffer.from(digestRange(memory, range, 'sha256'))).toEqual(expected);
  });

  test('reads a file through one buffer of a megabyte', () => {
    const buffers = new Set<ArrayBufferLike>();
    const file = {
      size: bytes.length,
      read: () => {
        throw new Error('a new array for each piece');
      },
      readInto: (offset: number, into: Uint8Array) => {
        buffers.add(into.buffer);
        into.set(bytes.subarray(offset, offset + into.length));
      },
    };
    expect(Buffer.from(digestRange(file, range, 'sha256'))).toEqual(expected);
    expect([...buffers].map((buffer) => buffer.byteLength)).toEqual([1024 * 1024]);
  });
});
