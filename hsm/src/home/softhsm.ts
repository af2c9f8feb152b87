import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';
import type { Home } from './home.ts';

/** Where distributions put SoftHSM's module: Debian's own folder, its multiarch folders, Fedora, the source's default. */
const modulePaths = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
];

/** SoftHSM's configuration, in the home; its path goes into `SOFTHSM2_CONF`. */
export const softhsmConfiguration = 'tokens/softhsm2.conf';
const objectFolder = 'tokens/softhsm';

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
    `directories.tokendir = ${home.resolve(objectFolder)}`,
    'objectstore.backend = file',
    'log.level = ERROR',
    'slots.removable = false',
    '',
  ].join('\n');
  mkdirSync(home.resolve(objectFolder), { recursive: true, mode: 0o700 });
  const path = home.resolve(softhsmConfiguration);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text, { mode: 0o600 });
}

/**
 * Development only: removes tokens whose init-token ceremony was cut short, which no record names. Nothing is on them:
 * keys are only made once the record is there. SoftHSM's folder names are UUIDs that end with the serial number.
 * Must run before the module is loaded.
 */
export function removeUnrecordedTokens(home: Home, serials: readonly string[]): readonly string[] {
  const folder = home.resolve(objectFolder);
  if (!existsSync(folder)) return [];
  const removed = readdirSync(folder).filter((name) => {
    const compact = name.replaceAll('-', '');
    return !serials.some((serial) => compact.endsWith(serial));
  });
  for (const name of removed) rmSync(home.resolve(`${objectFolder}/${name}`), { recursive: true });
  return removed;
}
