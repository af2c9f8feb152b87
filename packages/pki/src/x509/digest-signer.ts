import type { SignatureAlgorithmName } from '@sigillum/algorithms';

/**
 * A private key that signs digests: a key in a token, in a file, or behind the signing daemon. ECDSA signatures are
 * DER. The digest is that of the algorithm (`getDigestOf`).
 */
export type DigestSigner = {
  readonly algorithm: SignatureAlgorithmName;
  sign(digest: Uint8Array): Promise<Uint8Array>;
};

/**
 * A private key that only signs whole messages, hashing them itself: ECDSA keys of node:crypto, which offers nothing
 * over a bare digest. TLS keys and the throw-away keys of linting are such.
 */
export type MessageSigner = {
  readonly algorithm: SignatureAlgorithmName;
  signMessage(message: Uint8Array): Promise<Uint8Array>;
};
