import { getSignatureAlgorithm, type KeySpec, type SignatureAlgorithmName } from '@sigillum/algorithms';
import * as ck from './constants.ts';
import { attributeTypes } from './attribute-names.ts';
import { type KeyDepartures, noDepartures } from './key-departures.ts';
import type { NativeMechanism, NativeTemplate } from './native-addon.ts';

/** Everything C_GenerateKeyPair needs, and what reading back must show. */
export type KeyTemplate = {
  readonly mechanism: NativeMechanism;
  readonly publicKey: NativeTemplate;
  readonly privateKey: NativeTemplate;
};

/** CK_MECHANISM_TYPE[] as bytes: native CK_ULONGs, little-endian on every platform we run on. */
export function encodeMechanismList(mechanisms: readonly number[]): Buffer {
  const bytes = Buffer.alloc(mechanisms.length * ck.CK_ULONG_BYTES);
  for (const [index, mechanism] of mechanisms.entries()) {
    bytes.writeBigUInt64LE(BigInt(mechanism), index * ck.CK_ULONG_BYTES);
  }
  return bytes;
}

/** Flags of a non-exportable signing key that are given at generation and must read back the same. */
export const requiredFlags: ReadonlyMap<number, boolean> = new Map([
  [ck.CKA_TOKEN, true],
  [ck.CKA_PRIVATE, true],
  [ck.CKA_SENSITIVE, true],
  [ck.CKA_SIGN, true],
  [ck.CKA_EXTRACTABLE, false],
  // MODIFIABLE false, else SoftHSM lets DERIVE and UNWRAP be switched on later.
  [ck.CKA_MODIFIABLE, false],
  [ck.CKA_COPYABLE, false],
  [ck.CKA_DECRYPT, false],
  [ck.CKA_UNWRAP, false],
  [ck.CKA_DERIVE, false],
  // SIGN_RECOVER defaults to true on SoftHSM.
  [ck.CKA_SIGN_RECOVER, false],
]);

/** Flags that the HSM itself sets, and that prove how the key came to be (PKCS#11 v3.1 §4.9). */
export const provenanceFlags: ReadonlyMap<number, boolean> = new Map([
  [ck.CKA_ALWAYS_SENSITIVE, true],
  [ck.CKA_NEVER_EXTRACTABLE, true],
  [ck.CKA_LOCAL, true],
]);

/** The templates of a non-exportable pair: one purpose (SIGN), one mechanism. WRAP belongs to the public half. */
export function createKeyTemplate(
  spec: KeySpec,
  algorithm: SignatureAlgorithmName,
  keyId: Uint8Array,
  label: string,
  departures: KeyDepartures = noDepartures,
): KeyTemplate {
  const unknown = new Set(departures.unknown.map((name) => attributeTypes.get(name)));
  const common = [
    { type: ck.CKA_ID, value: Buffer.from(keyId) },
    { type: ck.CKA_LABEL, value: label },
  ];
  const keyType = { type: ck.CKA_KEY_TYPE, value: spec.kind === 'ec' ? ck.CKK_EC : ck.CKK_RSA };
  const shape = spec.curve
    ? [{ type: ck.CKA_EC_PARAMS, value: Buffer.from(spec.curve.der) }]
    : [
        { type: ck.CKA_MODULUS_BITS, value: spec.bits },
        { type: ck.CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
      ];
  return {
    mechanism: { mechanism: spec.kind === 'ec' ? ck.CKM_EC_KEY_PAIR_GEN : ck.CKM_RSA_PKCS_KEY_PAIR_GEN },
    publicKey: [
      { type: ck.CKA_CLASS, value: ck.CKO_PUBLIC_KEY },
      keyType,
      { type: ck.CKA_TOKEN, value: true },
      { type: ck.CKA_PRIVATE, value: false },
      { type: ck.CKA_VERIFY, value: true },
      { type: ck.CKA_VERIFY_RECOVER, value: false },
      { type: ck.CKA_ENCRYPT, value: false },
      { type: ck.CKA_WRAP, value: false },
      { type: ck.CKA_MODIFIABLE, value: false },
      ...common,
      ...shape,
    ],
    privateKey: [
      { type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY },
      keyType,
      ...common,
      ...Array.from(requiredFlags, ([type, value]) => ({ type, value })),
      {
        type: ck.CKA_ALLOWED_MECHANISMS,
        value: encodeMechanismList([getSignatureAlgorithm(algorithm).pkcs11Mechanism]),
      },
    ].filter(({ type }) => !unknown.has(type)),
  };
}
