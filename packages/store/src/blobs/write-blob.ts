import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a finished draft goes. */
type Place = { readonly folder: string; readonly path: string };

/**
 * Writes a draft, makes it durable, and renames it to where its content belongs.
 * @param temporary folder of drafts, on the same file system
 * @param locate where a content of that SHA-256 belongs; its folder is there when this resolves
 */
export async function writeBlob(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  temporary: string,
  locate: (sha256: Uint8Array) => Promise<Place>,
): Promise<Uint8Array> {
  const draft = join(temporary, randomUUID());
  try {
    const sha256 = await writeDraft(draft, pieces);
    const { folder, path } = await locate(sha256);
    await rename(draft, path);
    // The rename itself lives in the folder, not in the file.
    await syncFolder(folder);
    return sha256;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function writeDraft(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const piece of pieces) {
      hash.update(piece);
      await writeAll(file, piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest();
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    done += (await file.write(piece, done, piece.length - done)).bytesWritten;
  }
}

/** Makes a folder's entries durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
