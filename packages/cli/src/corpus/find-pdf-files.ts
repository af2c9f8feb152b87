import type { BigIntStats } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';

/** A file that calls itself a PDF, or begins like one. */
export type FoundFile = {
  /** As bytes: names on disk needn't be UTF-8. */
  readonly path: Buffer;
  /** Below the folder, for people and for the name of the output. */
  readonly name: string;
  /** Bytes; undefined when it is no file that can be read. */
  readonly size: number | undefined;
  /** Why it can't be read, if so. */
  readonly problem: string | undefined;
};

/** Folders inside each other at most: links that lead in circles are found, this is for those that only seem not to. */
const maxDepth = 64;

/** PDF readers look for the header in so many bytes (ISO 32000-1, annex H.3, note 13). */
const headerArea = 1024;

/**
 * Every PDF below a folder, in the order of their names: what is called `*.pdf` in any case, and what has `%PDF-` in its
 * first 1024 bytes. Links to files and folders are followed; one that leads back to a folder above is left out, and so is
 * `except`. A file that has two names is found twice.
 */
export async function* findPdfFiles(folder: string, except: string | undefined): AsyncGenerator<FoundFile> {
  const excluded = except === undefined ? undefined : await findIdentity(Buffer.from(except));
  yield* walk(Buffer.from(await realpath(folder)), '', [], excluded);
}

async function* walk(
  folder: Buffer,
  prefix: string,
  above: readonly string[],
  excluded: string | undefined,
): AsyncGenerator<FoundFile> {
  const identity = await findIdentity(folder);
  if (identity === undefined || identity === excluded || above.includes(identity) || above.length >= maxDepth) return;
  const names = await readdir(folder, { encoding: 'buffer' }).catch(() => undefined);
  if (names === undefined) {
    const problem = 'The folder can not be read.';
    yield { path: folder, name: prefix === '' ? '.' : prefix, size: undefined, problem };
    return;
  }
  for (const bytes of names.sort((a, b) => Buffer.compare(a, b))) {
    const path = Buffer.concat([folder, Buffer.from('/'), bytes]);
    const name = `${prefix}${prefix === '' ? '' : '/'}${bytes.toString('utf8')}`;
    const status = await stat(path, { bigint: true }).catch(() => undefined);
    if (status?.isDirectory()) yield* walk(path, name, [...above, identity], excluded);
    else {
      const found = await judge(path, name, status);
      if (found !== undefined) yield found;
    }
  }
}

async function judge(path: Buffer, name: string, status: BigIntStats | undefined): Promise<FoundFile | undefined> {
  const isNamed = /\.pdf$/i.test(name);
  if (status === undefined || !status.isFile()) {
    if (!isNamed) return undefined;
    const problem = status === undefined ? 'There is nothing where the name leads.' : 'It is not a file.';
    return { path, name, size: undefined, problem };
  }
  if (!isNamed && !(await beginsLikePdf(path))) return undefined;
  return { path, name, size: Number(status.size), problem: undefined };
}

async function beginsLikePdf(path: Buffer): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headerArea), 0, headerArea, 0);
    return buffer.subarray(0, bytesRead).includes('%PDF-');
  } catch {
    return false;
  } finally {
    await file.close();
  }
}

async function findIdentity(folder: Buffer): Promise<string | undefined> {
  const status = await stat(folder, { bigint: true }).catch(() => undefined);
  return status && `${status.dev}:${status.ino}`;
}
