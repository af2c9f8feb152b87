import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from './usage-error.ts';
import { alreadyThere } from './write-file-atomically.ts';

/** @throws UsageError when there is no such file */
export async function assertReadable(path: string): Promise<void> {
  const found = await findFile(path);
  if (found === undefined) throw new UsageError(`There is no file ${path}.`);
  if (!found.isFile()) throw new UsageError(`${path} is not a file.`);
}

/** @throws UsageError when its folder isn't there, or it is and may not be replaced */
export async function assertWritable(path: string, mayReplace: boolean): Promise<void> {
  const folder = dirname(path);
  if (!(await findFile(folder))?.isDirectory()) throw new UsageError(`There is no folder ${folder}.`);
  if (!mayReplace && (await findFile(path)) !== undefined) throw alreadyThere(path);
}

function findFile(path: string) {
  return stat(path).catch(() => undefined);
}
