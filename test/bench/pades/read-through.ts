import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** As large as a pipe to a disk wants it; larger pieces leave the processor's cache. */
const pieceSize = 256 * 1024;
/** One for all files: made anew for each, collecting it would cost more than reading a small file. */
const piece = Buffer.allocUnsafe(pieceSize);

/** A file that was read once: hashed, and written to its copy, while it went by. */
export type CopiedFile = {
  readonly hash: Hash;
  readonly size: number;
  readonly input: number;
  readonly output: number;
  /** The file itself when it is no larger than one piece; until the next file is read. */
  readonly whole: Uint8Array | undefined;
};

/** Read + SHA-256 + write: what no way of sealing a file can do without. The caller closes both. */
export function copyWhileHashing(path: string, copy: string): CopiedFile {
  const input = openSync(path, 'r');
  const output = openSync(copy, 'w');
  const hash = createHash('sha256');
  let size = 0;
  for (;;) {
    const length = readSync(input, piece, 0, pieceSize, size);
    if (length === 0)
      return { hash, size, input, output, whole: size < pieceSize ? piece.subarray(0, size) : undefined };
    const bytes = piece.subarray(0, length);
    hash.update(bytes);
    writeSync(output, bytes);
    size += length;
  }
}

/** Lets both files go. */
export function closeCopy({ input, output }: CopiedFile): void {
  closeSync(input);
  closeSync(output);
}
