import { createPublicKey, type KeyObject } from 'node:crypto';
import { getSignatureAlgorithm, type KeySpec, keySpecs } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { z } from 'zod';
import { algorithmSchema, keyIdSchema, purposeNames } from './wire.ts';

/**
 * `keys/<name>.json`, written by the ceremony that made the key: the identity of a key in a token. Everybody pins its
 * `spki` (DER in base64), not what a token says later.
 */
export const keyManifestSchema = z.strictObject({
  version: z.literal(1),
  /** CKA_ID. */
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

/** What a manifest says, and the public key in it. */
export type KeyManifest = z.output<typeof keyManifestSchema> & { readonly publicKey: KeyObject };

/**
 * Reads a manifest and checks that key, kind and algorithm fit each other.
 * @param name what to call it in an error: its path
 * @throws SigillumError `signer_manifest_invalid` with a sentence that names the file and what is wrong
 */
export function parseKeyManifest(text: string, name: string): KeyManifest {
  const manifest = parseFields(text, name);
  if (!getSignatureAlgorithm(manifest.algorithm).keys.includes(manifest.key_spec)) {
    throw invalid(name, `a ${manifest.key_spec} key does not sign with ${manifest.algorithm}.`);
  }
  const publicKey = parsePublicKey(Buffer.from(manifest.spki, 'base64'), name);
  if (!isOfSpec(publicKey, keySpecs[manifest.key_spec])) {
    throw invalid(name, `spki is no ${manifest.key_spec} key.`);
  }
  return { ...manifest, publicKey };
}

function invalid(name: string, detail: string, cause?: unknown): SigillumError {
  return new SigillumError('signer_manifest_invalid', `The key manifest ${name} is not valid: ${detail}`, { cause });
}

function parseFields(text: string, name: string): z.output<typeof keyManifestSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, 'it is not JSON.', cause);
  }
  const parsed = keyManifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(name, parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

function parsePublicKey(spki: Buffer, name: string): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw invalid(name, 'spki is no public key.', cause);
  }
}

function isOfSpec(key: KeyObject, spec: KeySpec): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  return spec.kind === 'ec'
    ? type === 'ec' && details?.namedCurve === spec.curve?.name
    : type === 'rsa' && details?.modulusLength === spec.bits && details.publicExponent === 65537n;
}
