import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** sun_path has 108 bytes with its NUL (unix(7)). */
const maxSocketPathBytes = 107;

/** What PostgreSQL puts into the folder. */
const socketName = '.s.PGSQL.5432';

/**
 * Makes the 0700 folder for the socket of a data folder, always the same one, so that crashes leave no litter; another
 * one when somebody else has taken the name.
 */
export function makeSocketDirectory(dataDirectory: string): string {
  const name = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16);
  const temporary = fits(join(tmpdir(), `sigillum-pg-${name}`)) ? tmpdir() : '/tmp';
  const path = join(temporary, `sigillum-pg-${name}`);
  try {
    mkdirSync(path, { mode: 0o700 });
    return path;
  } catch {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    const ours = entry?.isDirectory() === true && (entry.uid === process.getuid?.() || process.getuid?.() === 0);
    if (ours && (entry.mode & 0o077) === 0) return path;
    return mkdtempSync(join(temporary, 'sigillum-pg-'));
  }
}

function fits(directory: string): boolean {
  return Buffer.byteLength(join(directory, socketName)) <= maxSocketPathBytes;
}
