import { createPublicKey } from 'node:crypto';
import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { findKeySpecOf } from '@sigillum/pki';
import { z } from 'zod';
import type { Home } from '../home/home.ts';
import { keySpec, signatureAlgorithm } from '../plan/fields.ts';

const manifestSchema = z.strictObject({
  version: z.literal(1),
  /** CKA_ID, lowercase hex. */
  key_id: z.string().regex(/^[0-9a-f]{32}$/),
  name: z.string(),
  token_label: z.string(),
  token_serial: z.string(),
  key_spec: keySpec,
  algorithm: signatureAlgorithm,
  purpose: z.enum(['seal', 'timestamp', 'ocsp', 'canary', 'certificate']),
  /** SubjectPublicKeyInfo, DER in base64: what everybody pins. */
  spki: z.base64(),
  created: z.iso.datetime(),
});

/** The identity of a key in a token: what the token says later is compared with it. */
export type KeyManifest = z.output<typeof manifestSchema>;

/** Reads a manifest. Throws `ceremony_input_invalid`. */
export function readKeyManifest(home: Home, path: string): KeyManifest {
  const problem = (why: string, cause?: unknown) =>
    new SigillumError('ceremony_input_invalid', `The key manifest ${path} is not valid: ${why}.`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(home.read(path).toString('utf8'));
  } catch (cause) {
    if (cause instanceof SigillumError) throw cause;
    throw problem('it is not JSON', cause);
  }
  const result = manifestSchema.safeParse(value);
  if (!result.success) throw problem(z.prettifyError(result.error));
  const manifest = result.data;
  if (!getSignatureAlgorithm(manifest.algorithm).keys.includes(manifest.key_spec)) {
    throw problem('its algorithm does not fit its key');
  }
  if (
    findKeySpecOf(createPublicKey({ key: decodeSpki(manifest), format: 'der', type: 'spki' })) !== manifest.key_spec
  ) {
    throw problem('its public key is of another kind');
  }
  return manifest;
}

/** The text of a manifest file. */
export function encodeKeyManifest(manifest: KeyManifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifestSchema.parse(manifest), undefined, 2)}\n`);
}

/** The manifest's public key, DER. */
export function decodeSpki(manifest: KeyManifest): Buffer {
  return Buffer.from(manifest.spki, 'base64');
}
