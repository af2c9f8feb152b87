import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from './usage-error.ts';
import { alreadyThere } from './write-file-atomically.ts';

/** @throws UsageError when there is no such file, or it may not be read */
export async function assertReadable(path: string): Promise<void> {
  const found = await findFile(path);
  if (found === undefined) throw new UsageError(`There is no file ${path}.`);
  if (!found.isFile()) throw new UsageError(`${path} is not a file.`);
  await access(path, constants.R_OK).catch((cause: unknown) => {
    throw new UsageError(`${path} can't be read: it isn't allowed.`, { cause });
  });
}

/** @throws UsageError when its folder isn't there, or it is and may not be replaced */
export async function assertWritable(path: string, mayReplace: boolean): Promise<void> {
  const folder = dirname(path);
  if (!(await findFile(folder))?.isDirectory()) throw new UsageError(`There is no folder ${folder}.`);
  const found = await findFile(path);
  if (found?.isDirectory()) throw new UsageError(`${path} is a folder: name the file that is to be written.`);
  if (!mayReplace && found !== undefined) throw alreadyThere(path);
}

function findFile(path: string) {
  return stat(path).catch(() => undefined);
}
