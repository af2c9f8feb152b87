import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from './usage-error.ts';

/**
 * Writes a file that is there as a whole or not at all: what arrives goes to a file beside it, which takes the name when
 * the last byte is on disk. Without `overwrite`, one that is there by then is left alone.
 */
export async function writeFileAtomically(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  { overwrite }: { readonly overwrite: boolean },
): Promise<void> {
  const draft = join(dirname(path), `.sigillum-${randomBytes(6).toString('hex')}.part`);
  try {
    const file = await openDraft(draft);
    try {
      for await (const chunk of chunks) await writeAll(file, chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    if (overwrite) await rename(draft, path);
    else await linkOnce(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

async function openDraft(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (cause) {
    throw new UsageError(`The folder ${dirname(path)} can't be written to.`, { cause });
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

/** A hard link fails when the name is taken, where a rename would replace it. */
async function linkOnce(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (cause) {
    if (Error.isError(cause) && 'code' in cause && cause.code === 'EEXIST') throw alreadyThere(path);
    throw cause;
  }
}

/** The error for an output that exists. */
export function alreadyThere(path: string): UsageError {
  return new UsageError(`${path} is already there. Use --force to replace it.`);
}
