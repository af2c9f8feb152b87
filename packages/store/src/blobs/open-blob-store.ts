import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, opendir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import type { BlobStore, StoredBlob } from './blob-store.ts';

const folderPattern = /^[0-9a-f]{2}$/;
const namePattern = /^[0-9a-f]{64}$/;

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

  return {
    async put(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest();
      const { folder, path } = locate(sha256);
      const draft = join(temporary, randomUUID());
      try {
        await writeDurably(draft, bytes);
        await ensureFolder(folder);
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      // The rename itself lives in the folder, not in the file.
      await syncFolder(folder);
      return sha256;
    },
    async get(sha256) {
      const bytes = await readBlob(locate(sha256).path);
      if (!createHash('sha256').update(bytes).digest().equals(sha256)) {
        throw new SigillumError('blob_damaged', 'A stored file is no longer what it was.');
      }
      return bytes;
    },
    async delete(sha256) {
      await rm(locate(sha256).path, { force: true });
    },
    list: () => listBlobs(directory),
  };
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function makeFolder(path: string, parent: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await syncFolder(parent);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function readBlob(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new SigillumError('blob_missing', 'A stored file is missing.', { cause });
  }
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
