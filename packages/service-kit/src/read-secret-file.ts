import { readFileSync, statSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';

/** PINs, passwords, peppers and keys are small; anything larger is the wrong file. */
const maxSecretBytes = 64 * 1024;

/**
 * Reads a secret without its trailing line end. The caller overwrites the buffer when it is done.
 * @throws SigillumError `config_invalid` when it is missing, empty, too large, or when others may read it.
 */
export function readSecretFile(path: string): Buffer {
  const bytes = readBounded(path);
  // A secret that the group or the world can read isn't one.
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new SigillumError(
      'config_invalid',
      `${path} holds a secret and must be readable by its owner only: chmod 600`,
    );
  }
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  if (end === 0) throw new SigillumError('config_invalid', `The secret file ${path} is empty.`);
  return bytes.subarray(0, end);
}

/** Reads a small text that is no secret, such as a PEM file named by the configuration. */
export function readTextFile(path: string): string {
  return readBounded(path).toString('utf8');
}

function readBounded(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size <= maxSecretBytes) return readFileSync(path);
  } catch (cause) {
    throw new SigillumError('config_invalid', `The file ${path} can't be read.`, { cause });
  }
  throw new SigillumError('config_invalid', `The file ${path} is larger than 64 KiB: is it the right one?`);
}
