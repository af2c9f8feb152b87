import { createPublicKey, type KeyObject } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { getSignatureAlgorithm, type KeySpec, keySpecs, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { readTextFile } from '@sigillum/service-kit';
import { algorithmSchema, keyIdSchema, type Purpose, purposeNames } from '@sigillum/signer-rpc';
import { z } from 'zod';

/** A key that this daemon serves. `spki` is the authority about its public half, not what the token says. */
export type ServedKey = {
  readonly keyId: string;
  readonly name: string;
  readonly algorithm: SignatureAlgorithmName;
  readonly purpose: Purpose;
  readonly spki: Uint8Array;
  readonly publicKey: KeyObject;
  readonly tokenSerial: string;
};

/** `keys/<name>.json`, written by the ceremony. */
const manifestSchema = z.strictObject({
  version: z.literal(1),
  key_id: keyIdSchema,
  name: z.string().min(1).max(128),
  token_label: z.string(),
  token_serial: z.string(),
  key_spec: z.enum(Object.keys(keySpecs) as [KeySpec['name'], ...KeySpec['name'][]]),
  algorithm: algorithmSchema,
  /** `certificate` is for CA keys, which are never served: blind signing with one would give any certificate. */
  purpose: z.enum([...purposeNames, 'certificate']),
  spki: z.base64(),
  created: z.iso.datetime({ offset: true }),
});

type Manifest = z.output<typeof manifestSchema>;

/** More than this in one folder is a wrong folder, and the wire's list of keys ends at 500. */
const MAX_MANIFESTS = 500;

function invalid(path: string, detail: string, cause?: unknown): SigillumError {
  return new SigillumError('config_invalid', `The key manifest ${path} is not valid: ${detail}`, { cause });
}

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
    const manifest = parseManifest(path, readTextFile(path));
    const isOurs = tokens.some(
      (token) => token.label === manifest.token_label && token.serial === manifest.token_serial,
    );
    if (!isOurs || manifest.purpose === 'certificate') continue;
    if (keys.has(manifest.key_id)) throw invalid(path, 'another manifest has the same key_id.');
    keys.set(manifest.key_id, toServedKey(path, manifest, manifest.purpose));
  }
  return [...keys.values()];
}

function listManifests(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
    if (names.length <= MAX_MANIFESTS) return names.sort();
  } catch (cause) {
    throw new SigillumError('config_invalid', `The folder of key manifests ${directory} can't be read.`, { cause });
  }
  throw new SigillumError('config_invalid', `${directory} has more than ${MAX_MANIFESTS} manifests.`);
}

function parseManifest(path: string, text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(path, 'it is not JSON.', cause);
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const details = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw invalid(path, details.join('; '));
  }
  return parsed.data;
}

function toServedKey(path: string, manifest: Manifest, purpose: Purpose): ServedKey {
  const spki = new Uint8Array(Buffer.from(manifest.spki, 'base64'));
  const publicKey = parsePublicKey(path, spki);
  if (!getSignatureAlgorithm(manifest.algorithm).keys.includes(manifest.key_spec)) {
    throw invalid(path, `a ${manifest.key_spec} key does not sign with ${manifest.algorithm}.`);
  }
  if (!isOfSpec(publicKey, keySpecs[manifest.key_spec])) throw invalid(path, `spki is no ${manifest.key_spec} key.`);
  return {
    keyId: manifest.key_id,
    name: manifest.name,
    algorithm: manifest.algorithm,
    purpose,
    spki,
    publicKey,
    tokenSerial: manifest.token_serial,
  };
}

function parsePublicKey(path: string, spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (cause) {
    throw invalid(path, 'spki is no public key.', cause);
  }
}

function isOfSpec(key: KeyObject, spec: KeySpec): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  return spec.kind === 'ec'
    ? type === 'ec' && details?.namedCurve === spec.curve?.name
    : type === 'rsa' && details?.modulusLength === spec.bits && details.publicExponent === 65537n;
}
