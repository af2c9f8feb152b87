import { createHash } from 'node:crypto';
import { mkdir, open, opendir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import type { BlobReader, BlobStore, StoredBlob } from './blob-store.ts';
import { toStorageError, withStorageErrors } from './storage-error.ts';
import { syncFolder, writeBlob } from './write-blob.ts';

const folderPattern = /^[0-9a-f]{2}$/;
const namePattern = /^[0-9a-f]{64}$/;

/** Read in pieces of this size on the way out. */
const pieceSize = 256 * 1024;

/**
 * A blob store in a folder: `<first two hex digits>/<SHA-256 in hex>`, so that no folder holds everything.
 * Removes what an earlier process left half written.
 */
export async function openBlobStore(directory: string): Promise<BlobStore> {
  const temporary = join(directory, 'tmp');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { mode: 0o700 });
  const locate = (sha256: Uint8Array) => {
    const name = Buffer.from(sha256).toString('hex');
    if (!namePattern.test(name)) throw new RangeError('a blob is named by 32 bytes');
    const folder = join(directory, name.slice(0, 2));
    return { folder, path: join(folder, name) };
  };

  // Whoever finds a folder already made must not be faster than the sync that makes it last: all wait for the same one,
  // and a folder of an earlier process, which may have died before that, is synced once more.
  const folders = new Map<string, Promise<void>>();
  const ensureFolder = (folder: string): Promise<void> => {
    const known = folders.get(folder) ?? makeFolder(folder, directory);
    folders.set(folder, known);
    // A failure is the caller's, and the next one tries again.
    known.catch(() => folders.delete(folder));
    return known;
  };
  const write = (pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
    withStorageErrors(() =>
      writeBlob(pieces, temporary, async (sha256) => {
        const place = locate(sha256);
        await ensureFolder(place.folder);
        return place;
      }),
    );

  return {
    put: (bytes) => write([bytes]),
    putStream: (pieces) => write(pieces),
    async get(sha256) {
      const bytes = await readBlob(locate(sha256).path);
      if (!createHash('sha256').update(bytes).digest().equals(sha256)) throw damaged();
      return bytes;
    },
    open: (sha256) => openBlob(locate(sha256).path, sha256),
    async delete(sha256) {
      await rm(locate(sha256).path, { force: true });
    },
    list: () => listBlobs(directory),
  };
}

async function makeFolder(path: string, parent: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await syncFolder(parent);
}

async function readBlob(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw missing(cause);
  }
}

async function openBlob(path: string, sha256: Uint8Array): Promise<BlobReader> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw missing(cause);
  });
  const { size } = await file.stat();
  const close = (): Promise<void> => file.close();
  async function* read(): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(Math.min(pieceSize, size));
    for (let offset = 0; offset < size; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(pieceSize, size - offset), offset);
      const piece = buffer.subarray(0, bytesRead);
      offset += bytesRead;
      hash.update(piece);
      // The last piece is held back until all of it is known to be right.
      if (bytesRead === 0 || (offset === size && !hash.digest().equals(sha256))) throw damaged();
      yield piece;
    }
  }
  return { size, read, close };
}

function missing(cause: unknown): unknown {
  if (!Error.isError(cause) || !('code' in cause) || cause.code !== 'ENOENT') return toStorageError(cause);
  return new SigillumError('blob_missing', 'A stored file is missing.', { cause });
}

function damaged(): SigillumError {
  return new SigillumError('blob_damaged', 'A stored file is no longer what it was.');
}

async function* listBlobs(directory: string): AsyncGenerator<StoredBlob> {
  for await (const folder of await opendir(directory)) {
    if (!folder.isDirectory() || !folderPattern.test(folder.name)) continue;
    for await (const file of await opendir(join(directory, folder.name))) {
      if (!namePattern.test(file.name)) continue;
      const found = await stat(join(directory, folder.name, file.name)).catch(() => undefined);
      if (found !== undefined) yield { sha256: Buffer.from(file.name, 'hex'), storedAt: found.mtime };
    }
  }
}
