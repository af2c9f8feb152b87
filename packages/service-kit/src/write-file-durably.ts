import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a file for its owner only (0600), whole or not at all, and on disk when this returns: it is written beside its
 * place, synced, renamed, and the folder is synced, since the rename itself lives there.
 *
 * @throws Error of node:fs
 */
export function writeFileDurably(path: string, text: string): void {
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode: 0o600, flush: true });
  renameSync(draft, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
