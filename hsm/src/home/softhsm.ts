import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';
import type { Home } from './home.ts';
import { isFolderOf } from './token-folder.ts';

/** Where distributions put SoftHSM's module: Debian's own folder, its multiarch folders, Fedora, the source's default. */
const modulePaths = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
];

/** SoftHSM's configuration, in the home; its path goes into `SOFTHSM2_CONF`. */
export const softhsmConfiguration = 'tokens/softhsm2.conf';
/** Where SoftHSM keeps its tokens: a folder for each. */
export const softhsmObjects = 'tokens/softhsm';

/** The SoftHSM module of this machine. Throws `ceremony_input_invalid`. */
export function findSofthsmModule(): string {
  const found = modulePaths.find((path) => existsSync(path));
  if (found === undefined) {
    throw new SigillumError(
      'ceremony_input_invalid',
      'The SoftHSM module is not installed (Debian: apt-get install libsofthsm2), or name it with --module PATH.',
    );
  }
  return found;
}

/** Writes SoftHSM's configuration when it is missing or names another folder (a home that was moved). */
export function writeSofthsmConfiguration(home: Home): void {
  const text = [
    '# Written by the ceremony tool.',
    `directories.tokendir = ${home.resolve(softhsmObjects)}`,
    'objectstore.backend = file',
    'log.level = ERROR',
    'slots.removable = false',
    '',
  ].join('\n');
  mkdirSync(home.resolve(softhsmObjects), { recursive: true, mode: 0o700 });
  const path = home.resolve(softhsmConfiguration);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text, { mode: 0o600 });
}

/**
 * Development only: removes tokens whose init-token ceremony was cut short, which no record names. Nothing is on them:
 * keys are only made once the record is there.
 * Must run before the module is loaded.
 */
export function removeUnrecordedTokens(home: Home, serials: readonly string[]): readonly string[] {
  const folder = home.resolve(softhsmObjects);
  if (!existsSync(folder)) return [];
  const removed = readdirSync(folder).filter((name) => !serials.some((serial) => isFolderOf(name, serial)));
  for (const name of removed) rmSync(home.resolve(`${softhsmObjects}/${name}`), { recursive: true });
  return removed;
}
