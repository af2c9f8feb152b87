import {
  getDigestOf,
  getSignatureAlgorithm,
  type KeySpecName,
  type SignatureAlgorithmName,
} from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { CK_PARAMS_RSA_PSS } from './constants.ts';
import type { NativeMechanism, NativePssParameters } from './native-addon.ts';

/** What C_SignInit and C_Sign (or C_VerifyInit and C_Verify) get for one digest. */
export type DigestOperation = { readonly mechanism: NativeMechanism; readonly input: Buffer };

/**
 * Prepares the mechanism and the input for one digest. The input is always a copy of ours: the caller's bytes may
 * change while the HSM works.
 * @throws `pkcs11_digest_length_wrong`: SoftHSM would take 48 bytes for P-256 (and other modules truncate).
 * @throws `pkcs11_algorithm_unfit` when the key's kind may not use the algorithm.
 */
export function createDigestOperation(
  spec: KeySpecName,
  algorithmName: SignatureAlgorithmName,
  digest: Uint8Array,
): DigestOperation {
  const algorithm = getSignatureAlgorithm(algorithmName);
  const hash = getDigestOf(algorithmName);
  if (!algorithm.keys.includes(spec)) {
    throw new SigillumError('pkcs11_algorithm_unfit', `A ${spec} key does not sign with ${algorithmName}.`);
  }
  if (digest.length !== hash.length) {
    throw new SigillumError(
      'pkcs11_digest_length_wrong',
      `${algorithmName} signs digests of ${hash.length} bytes, this one has ${digest.length}.`,
    );
  }
  switch (algorithm.scheme) {
    case 'ecdsa':
      return { mechanism: { mechanism: algorithm.pkcs11Mechanism }, input: Buffer.from(digest) };
    case 'rsassa-pkcs1-v1_5':
      // CKM_RSA_PKCS only pads: DigestInfo is ours (RFC 8017 §9.2, PKCS#11 v3.1 §6.1.6).
      return {
        mechanism: { mechanism: algorithm.pkcs11Mechanism },
        input: Buffer.concat([hash.digestInfoPrefix, digest]),
      };
    case 'rsassa-pss': {
      const parameter: NativePssParameters = {
        type: CK_PARAMS_RSA_PSS,
        hashAlg: hash.pkcs11Mechanism,
        mgf: hash.pkcs11Mgf,
        saltLen: algorithm.saltLength ?? hash.length,
      };
      return { mechanism: { mechanism: algorithm.pkcs11Mechanism, parameter }, input: Buffer.from(digest) };
    }
  }
}
