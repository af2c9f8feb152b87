import { createHash, type Hash } from 'node:crypto';
import type { DigestName } from '@sigillum/algorithms';
import type { PrefixHash } from '@sigillum/pades';

/** Takes in a document while it arrives and keeps the mid-state: the document is never read again for a digest. */
export class DocumentHash implements PrefixHash {
  readonly algorithm: DigestName;
  readonly #hash: Hash;

  constructor(algorithm: DigestName) {
    this.algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  finish(parts: readonly Uint8Array[]): Uint8Array {
    const hash = this.#hash.copy();
    for (const part of parts) hash.update(part);
    return hash.digest();
  }
}
