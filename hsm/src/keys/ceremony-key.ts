import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { getDigestOf, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { type DigestSigner, findKeySpecOf, type MessageSigner } from '@sigillum/pki';
import type { Home } from '../home/home.ts';
import type { KeyReference } from '../plan/fields.ts';
import { decodeSpki, type KeyManifest, readKeyManifest } from './key-manifest.ts';
import type { TokenAccess } from './token-access.ts';

/** A key that a certificate is issued for: only its public half is needed. */
export type SubjectKey = { readonly spki: Uint8Array; readonly manifest: KeyManifest | undefined };

/** A key that signs in a ceremony. */
export type SigningKey = SubjectKey & { readonly signer: DigestSigner | MessageSigner };

/** The public half of a key. Throws `ceremony_input_invalid`. */
export function readSubjectKey(home: Home, reference: KeyReference): SubjectKey {
  if ('manifest' in reference) {
    const manifest = readKeyManifest(home, reference.manifest);
    return { spki: new Uint8Array(decodeSpki(manifest)), manifest };
  }
  return { spki: exportSpki(readPrivateKey(home, reference.file)), manifest: undefined };
}

/**
 * A key ready to sign certificates and CRLs. In a token it is found by the manifest's CKA_ID, on the manifest's token,
 * and must have the manifest's public key. Throws `ceremony_input_invalid` and the codes of pkcs11.
 */
export function openSigningKey(home: Home, reference: KeyReference, tokens: TokenAccess): SigningKey {
  if ('file' in reference) {
    const key = readPrivateKey(home, reference.file);
    return { spki: exportSpki(key), manifest: undefined, signer: createFileSigner(key) };
  }
  const manifest = readKeyManifest(home, reference.manifest);
  if (manifest.purpose !== 'certificate') {
    throw new SigillumError(
      'ceremony_input_invalid',
      `The key ${manifest.name} is for ${manifest.purpose} and may not sign certificates.`,
    );
  }
  const token = tokens.open({ label: manifest.token_label, serial: manifest.token_serial });
  const key = token.findKey(Buffer.from(manifest.key_id, 'hex'));
  const spki = decodeSpki(manifest);
  if (!spki.equals(key.spki)) {
    throw new SigillumError(
      'ceremony_input_invalid',
      `The public key of ${manifest.name} on the token is not the one in its manifest.`,
    );
  }
  const { algorithm } = manifest;
  return {
    spki: new Uint8Array(spki),
    manifest,
    signer: { algorithm, sign: (digest) => token.sign(key, algorithm, digest) },
  };
}

/** A signer over a key in memory: TLS keys and throw-away keys, both on NIST curves. */
export function createFileSigner(key: KeyObject): MessageSigner {
  const algorithms: Readonly<Record<string, SignatureAlgorithmName>> = {
    p256: 'ecdsa-p256-sha256',
    p384: 'ecdsa-p384-sha384',
  };
  const algorithm = algorithms[findKeySpecOf(createPublicKey(key)) ?? ''];
  if (!algorithm) {
    throw new SigillumError('ceremony_input_invalid', 'A key in a file must be on the curve P-256 or P-384.');
  }
  return {
    algorithm,
    signMessage: async (message) =>
      new Uint8Array(sign(getDigestOf(algorithm).name, message, { key, dsaEncoding: 'der' })),
  };
}

/** SubjectPublicKeyInfo of a key pair in memory, DER. */
export function exportSpki(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
}

function readPrivateKey(home: Home, path: string): KeyObject {
  const bytes = home.read(path);
  try {
    return createPrivateKey(bytes);
  } catch (cause) {
    throw new SigillumError('ceremony_input_invalid', `${path} is not a private key in PEM.`, { cause });
  } finally {
    bytes.fill(0);
  }
}
