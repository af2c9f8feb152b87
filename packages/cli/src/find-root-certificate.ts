import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

/**
 * The root certificate of the development home: of `named`, else of the first `.sigillum` from the folder upwards that
 * runs. @throws UsageError when there is none
 */
export async function findRootCertificate(named: string | undefined, directory: string): Promise<string> {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const home = named === undefined ? join(folder, '.sigillum') : resolve(directory, named);
    const path = await readRootPath(join(home, 'run', 'ready.json'));
    if (path !== undefined) return path;
    if (named !== undefined || folder === dirname(folder)) {
      throw new UsageError(
        'Say whom to trust: --root ROOT.pem (there is no running development home whose root to take).',
      );
    }
  }
}

async function readRootPath(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const ready: unknown = JSON.parse(text);
    const path = typeof ready === 'object' && ready !== null && 'root_certificate' in ready && ready.root_certificate;
    return typeof path === 'string' ? path : undefined;
  } catch (cause) {
    throw new UsageError(`${file} is not the file of a running service.`, { cause });
  }
}
