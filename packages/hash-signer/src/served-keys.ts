import type { KeyObject } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SignatureAlgorithmName } from '@sigillum/algorithms';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { readTextFile } from '@sigillum/service-kit';
import { type KeyManifest, parseKeyManifest, type Purpose } from '@sigillum/signer-rpc';

/** A key that this daemon serves. `spki` is the authority about its public half, not what the token says. */
export type ServedKey = {
  readonly keyId: string;
  readonly name: string;
  readonly algorithm: SignatureAlgorithmName;
  readonly purpose: Purpose;
  readonly spki: Uint8Array;
  readonly publicKey: KeyObject;
  readonly tokenSerial: string;
  /** Its file: a key whose manifest has gone is used no more. */
  readonly manifest: string;
};

/** More than this in one folder is a wrong folder, and the wire's list of keys ends at 500. */
const MAX_MANIFESTS = 500;

/**
 * Reads the manifests of the keys that lie on the given tokens and have a purpose that is served.
 * @throws `config_invalid` for a folder or file that can't be read, a manifest that is not valid or contradicts
 *   itself, or two with the same key.
 */
export function loadServedKeys(
  directory: string,
  tokens: readonly { readonly label: string; readonly serial: string }[],
): ServedKey[] {
  const keys = new Map<string, ServedKey>();
  for (const name of listManifests(directory)) {
    const path = join(directory, name);
    const manifest = readManifest(path);
    const isOurs = tokens.some(
      (token) => token.label === manifest.token_label && token.serial === manifest.token_serial,
    );
    if (!isOurs || manifest.purpose === 'certificate') continue;
    if (keys.has(manifest.key_id)) {
      throw new SigillumError('config_invalid', `${path}: another manifest has the same key_id.`);
    }
    keys.set(manifest.key_id, toServedKey(manifest, manifest.purpose, path));
  }
  return [...keys.values()];
}

/** A key that is used otherwise from now on is another one; only its name may change. */
export const isSameKey = (left: ServedKey, right: ServedKey): boolean =>
  left.keyId === right.keyId &&
  left.purpose === right.purpose &&
  left.algorithm === right.algorithm &&
  left.tokenSerial === right.tokenSerial &&
  Buffer.compare(left.spki, right.spki) === 0;

/**
 * Whether the file of a key's manifest has gone, and not all of them with it: a disk that isn't mounted, a folder that is
 * being filled, take no key along.
 */
export function isWithdrawn({ manifest }: ServedKey): boolean {
  if (existsSync(manifest)) return false;
  try {
    return readManifestNames(dirname(manifest)).length > 0;
  } catch {
    return false;
  }
}

const readManifestNames = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.endsWith('.json'));

function listManifests(directory: string): string[] {
  let names: string[];
  try {
    names = readManifestNames(directory);
  } catch (cause) {
    throw new SigillumError('config_invalid', `The folder of key manifests ${directory} can't be read.`, { cause });
  }
  if (names.length === 0) {
    throw new SigillumError('config_invalid', `There is no key manifest in ${directory}: is it mounted?`);
  }
  if (names.length <= MAX_MANIFESTS) return names.sort();
  throw new SigillumError('config_invalid', `${directory} has more than ${MAX_MANIFESTS} manifests.`);
}

function readManifest(path: string): KeyManifest {
  try {
    return parseKeyManifest(readTextFile(path), path);
  } catch (cause) {
    if (isSigillumError(cause, 'signer_manifest_invalid')) {
      throw new SigillumError('config_invalid', cause.message, { cause });
    }
    throw cause;
  }
}

function toServedKey(manifest: KeyManifest, purpose: Purpose, path: string): ServedKey {
  return {
    keyId: manifest.key_id,
    name: manifest.name,
    algorithm: manifest.algorithm,
    purpose,
    spki: new Uint8Array(Buffer.from(manifest.spki, 'base64')),
    publicKey: manifest.publicKey,
    tokenSerial: manifest.token_serial,
    manifest: path,
  };
}
