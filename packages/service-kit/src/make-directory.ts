import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A folder with its parents; true when it wasn't there. Node's own `recursive` never returns below /proc, where making
 * a folder says ENOENT although its parent is there.
 * @throws Error of the operating system
 */
export function makeDirectory(path: string, mode = 0o777): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    const code = Error.isError(error) && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return false;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
  }
  makeDirectory(dirname(path), mode);
  return makeDirectory(path, mode);
}
