import { existsSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';

/** Debian's own folder, its multiarch folders, Fedora, the default of SoftHSM's sources. */
const modulePaths = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
];

/** The PKCS#11 module of SoftHSM. @throws SigillumError `home_ceremony_failed` when it isn't installed. */
export function findSofthsmModule(): string {
  const found = modulePaths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new SigillumError('home_ceremony_failed', 'SoftHSM is not installed. On Debian: apt-get install softhsm2');
}
