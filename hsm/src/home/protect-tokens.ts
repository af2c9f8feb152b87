import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { Home } from './home.ts';
import { softhsmObjects } from './softhsm.ts';
import { isFolderOf } from './token-folder.ts';

/** What identifies a token on disk. */
type RecordedToken = { readonly label: string; readonly serial: string };

/**
 * Development only, before the module is loaded. SoftHSM 2.6 writes `token.object` anew, in place and truncated first,
 * at **every login**: a process killed in that moment leaves it empty, and the token with all its keys is gone for
 * everybody. What stands in it (label, serial, PIN blobs) doesn't change, so a copy is kept from the day the token was
 * made, and put back when the file has lost bytes. Returns the labels of tokens that were repaired.
 */
export function protectTokens(home: Home, tokens: readonly RecordedToken[]): readonly string[] {
  return tokens.filter((token) => protectToken(home, token)).map(({ label }) => label);
}

function protectToken(home: Home, { label, serial }: RecordedToken): boolean {
  const folder = readdirSync(home.resolve(softhsmObjects)).find((name) => isFolderOf(name, serial));
  const path = folder && `${softhsmObjects}/${folder}/token.object`;
  if (path === undefined || !home.has(path)) return false;
  const copy = `tokens/${label}.token.object`;
  const size = statSync(home.resolve(path)).size;
  if (!existsSync(home.resolve(copy))) {
    // Right after the token was made, before anybody else logs in; an empty file is no copy worth keeping.
    if (size > 0) home.publish({ path: copy, bytes: home.read(path), isSecret: true, replaces: false });
    return false;
  }
  const bytes = readFileSync(home.resolve(copy));
  // Whole files have one size: the only thing that a login changes is the flags, a number of fixed length.
  if (bytes.length === size) return false;
  home.publish({ path, bytes, isSecret: true, replaces: true });
  return true;
}
