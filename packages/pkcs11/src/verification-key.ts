import type { KeySpecName } from '@sigillum/algorithms';
import * as ck from './constants.ts';
import type { NativeHandle, NativeModule } from './native-addon.ts';
import { callNative } from './pkcs11-failure.ts';
import { encodeTlv } from './der.ts';
import { parseSpki } from './public-key.ts';

/** A public key as a session object on the token, made from an SPKI that we trust more than the token's own. */
export type VerificationKey = { readonly spec: KeySpecName; readonly handle: NativeHandle };

/** Makes the session object; it disappears with `session`. */
export function createVerificationKey(native: NativeModule, session: NativeHandle, spki: Uint8Array): VerificationKey {
  const parts = parseSpki(spki);
  const shape =
    parts.kind === 'ec'
      ? [
          { type: ck.CKA_EC_PARAMS, value: Buffer.from(parts.curve) },
          // A DER OCTET STRING around the point (PKCS#11 v3.1 §6.3.3).
          { type: ck.CKA_EC_POINT, value: Buffer.from(encodeTlv(0x04, parts.point)) },
        ]
      : [
          { type: ck.CKA_MODULUS, value: Buffer.from(parts.modulus) },
          { type: ck.CKA_PUBLIC_EXPONENT, value: Buffer.from(parts.exponent) },
        ];
  const handle = callNative('C_CreateObject', () =>
    native.C_CreateObject(session, [
      { type: ck.CKA_CLASS, value: ck.CKO_PUBLIC_KEY },
      { type: ck.CKA_KEY_TYPE, value: parts.kind === 'ec' ? ck.CKK_EC : ck.CKK_RSA },
      { type: ck.CKA_TOKEN, value: false },
      { type: ck.CKA_PRIVATE, value: false },
      { type: ck.CKA_VERIFY, value: true },
      ...shape,
    ]),
  );
  return { spec: parts.spec.name, handle };
}
