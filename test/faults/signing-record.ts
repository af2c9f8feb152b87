import { createHash, createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto';
import { getDigestOf, getVerifyParameters } from '@sigillum/algorithms';
import type { SignerClient } from '@sigillum/signer-rpc';
import { isSigillumError } from '@sigillum/errors';
import type { TestKey } from './signer-home.ts';

/** One answered digest. */
export type Answered = {
  readonly requestId: string;
  readonly index: number;
  readonly key: TestKey;
  readonly message: Uint8Array;
  /** Of the answer; a code instead when it has none. */
  readonly signature: Uint8Array | undefined;
  readonly code: string | undefined;
};

/** Remembers everything that was asked and answered, for the invariants afterwards. */
export class SigningRecord {
  readonly answered: Answered[] = [];
  readonly #keys = new Map<string, KeyObject>();

  newId(): string {
    return `req_${randomBytes(8).toString('hex')}`;
  }

  /** Signs messages; answers a code for each that was not signed, also when the whole request failed. */
  async sign(
    client: SignerClient,
    key: TestKey,
    count = 1,
    timeoutMs = 20_000,
    requestId = this.newId(),
  ): Promise<readonly string[]> {
    const messages = Array.from({ length: count }, () => randomBytes(24));
    const digests = messages.map((message) => ({
      digest: createHash(getDigestOf(key.algorithm).name).update(message).digest(),
      context: { organisation: 'org_test' },
    }));
    const request = { requestId, timeoutMs, keyId: key.key_id, algorithm: key.algorithm, digests };
    const results = await client.signDigests(request).catch((error: unknown) => {
      if (!isSigillumError(error)) throw error;
      return messages.map(() => ({ code: error.code }));
    });
    return results.map((result, index) => {
      const message = messages[index] ?? new Uint8Array();
      const signature = 'signature' in result ? result.signature : undefined;
      const code = 'code' in result ? result.code : undefined;
      this.answered.push({ requestId, index, key, message, signature, code });
      return code ?? 'signed';
    });
  }

  /** As anybody verifies, with node:crypto over the message. */
  isRight({ key, message, signature }: Answered): boolean {
    if (!signature) return false;
    let publicKey = this.#keys.get(key.key_id);
    if (!publicKey) {
      publicKey = createPublicKey({ key: Buffer.from(key.spki, 'base64'), format: 'der', type: 'spki' });
      this.#keys.set(key.key_id, publicKey);
    }
    const parameters = getVerifyParameters(key.algorithm, publicKey);
    return verify(parameters.digest, message, parameters.key, signature);
  }
}
