import { randomUUID } from 'node:crypto';
import { readSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DocumentSource } from './spooled-document.ts';

/** Read in pieces of this size on the way out. */
const pieceSize = 256 * 1024;

/** A file without a name, written from its beginning to its end, then read. */
export type SpoolFile = {
  write(chunks: readonly Buffer[]): Promise<void>;
  /** Random access to the first `size` bytes. */
  source(size: number): DocumentSource;
  pieces(size: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
};

/** Makes a file in the folder and unlinks it at once. */
export async function openSpoolFile(directory: string): Promise<SpoolFile> {
  const path = join(directory, randomUUID());
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return {
    write: (chunks) => writeAll(file, chunks),
    source: (size) => fromFile(file, size),
    pieces: (size) => filePieces(file, size),
    close: () => file.close(),
  };
}

async function writeAll(file: FileHandle, chunks: readonly Buffer[]): Promise<void> {
  let rest = [...chunks];
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest);
    // A full disk takes a part; the next call says why.
    while (bytesWritten > 0) {
      const [first = Buffer.alloc(0), ...others] = rest;
      if (bytesWritten < first.length) {
        rest = [first.subarray(bytesWritten), ...others];
        bytesWritten = 0;
      } else {
        bytesWritten -= first.length;
        rest = others;
      }
    }
  }
}

/** Synchronous reads: the reader is a pure function of bytes, and what it touches is in the page cache. */
function fromFile(file: FileHandle, size: number): DocumentSource {
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${size}`);
      }
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const read = readSync(file.fd, bytes, done, length - done, offset + done);
        if (read === 0) throw tooShort();
        done += read;
      }
      return bytes;
    },
  };
}

async function* filePieces(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; ) {
    const length = Math.min(pieceSize, size - offset);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    if (bytesRead === 0) throw tooShort();
    yield buffer.subarray(0, bytesRead);
    offset += bytesRead;
  }
}

function tooShort(): RangeError {
  return new RangeError('the spool file is shorter than what was written');
}
