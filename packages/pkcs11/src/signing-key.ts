import type { KeySpecName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import * as ck from './constants.ts';
import { readAttribute } from './key-attributes.ts';
import type { NativeHandle, NativeModule, NativeTemplate } from './native-addon.ts';
import { callNative } from './pkcs11-failure.ts';
import { decodeEcPoint, encodeSpki, findCurveSpec, findRsaSpec } from './public-key.ts';

/** A private key on the token. Holds handles: it lives as long as the login of the {@link Token} that found it. */
export type SigningKey = {
  /** CKA_ID as lowercase hex. */
  readonly keyId: string;
  /** CKA_LABEL, for people. */
  readonly label: string;
  readonly spec: KeySpecName;
  /** SubjectPublicKeyInfo in DER, read from the token. The manifest's SPKI is the authority, not this one. */
  readonly spki: Uint8Array;
  readonly handle: NativeHandle;
};

/** More objects than this under one search means a token that is not ours: bounds memory and time of a search. */
const MAX_OBJECTS = 10_000;
const OBJECTS_PER_CALL = 100;

/** All objects that match a template. */
export function findObjects(native: NativeModule, session: NativeHandle, template: NativeTemplate): NativeHandle[] {
  return callNative('C_FindObjects', () => {
    native.C_FindObjectsInit(session, template);
    try {
      const found: NativeHandle[] = [];
      for (;;) {
        const page = native.C_FindObjects(session, OBJECTS_PER_CALL);
        found.push(...page);
        if (page.length === 0 || found.length > MAX_OBJECTS) return found;
      }
    } finally {
      native.C_FindObjectsFinal(session);
    }
  });
}

const isKeyId = (id: Buffer | undefined): id is Buffer => id !== undefined && id.length > 0;

/**
 * Reads a private key's identity, and its public half from the public object with the same CKA_ID.
 * @throws `pkcs11_key_malformed` for a key that is none of our kinds or has no identifier.
 */
export function readSigningKey(native: NativeModule, session: NativeHandle, handle: NativeHandle): SigningKey {
  const id = readAttribute(native, session, handle, ck.CKA_ID);
  if (!isKeyId(id)) throw new SigillumError('pkcs11_key_malformed', 'A private key on the token has no identifier.');
  const keyId = id.toString('hex');
  const publicKeys = findObjects(native, session, [
    { type: ck.CKA_CLASS, value: ck.CKO_PUBLIC_KEY },
    { type: ck.CKA_TOKEN, value: true },
    { type: ck.CKA_ID, value: id },
  ]);
  const publicKey = publicKeys[0];
  if (!publicKey || publicKeys.length > 1) {
    throw new SigillumError(
      publicKey ? 'pkcs11_key_ambiguous' : 'pkcs11_key_not_found',
      `The token holds ${publicKeys.length} public keys for ${keyId}; it must hold one.`,
    );
  }
  const label = readAttribute(native, session, handle, ck.CKA_LABEL)?.toString('utf8') ?? '';
  return { keyId, label, handle, ...readPublicKey(native, session, publicKey, keyId) };
}

function readPublicKey(
  native: NativeModule,
  session: NativeHandle,
  object: NativeHandle,
  keyId: string,
): { spec: KeySpecName; spki: Uint8Array } {
  const read = (type: number): Buffer | undefined => readAttribute(native, session, object, type);
  const curve = read(ck.CKA_EC_PARAMS);
  const point = read(ck.CKA_EC_POINT);
  const ecSpec = curve && findCurveSpec(curve);
  if (ecSpec && point) {
    const spki = encodeSpki({ spec: ecSpec, kind: 'ec', curve, point: decodeEcPoint(point, ecSpec) });
    return { spec: ecSpec.name, spki };
  }
  const modulus = read(ck.CKA_MODULUS);
  const exponent = read(ck.CKA_PUBLIC_EXPONENT);
  const rsaSpec = modulus && findRsaSpec(modulus.length * 8);
  if (rsaSpec && exponent) {
    return { spec: rsaSpec.name, spki: encodeSpki({ spec: rsaSpec, kind: 'rsa', modulus, exponent }) };
  }
  throw new SigillumError('pkcs11_key_malformed', `The key ${keyId} is of a kind that we do not use.`);
}

/** The private key with that CKA_ID. PKCS#11 accepts duplicates, we do not. */
export function findSigningKey(native: NativeModule, session: NativeHandle, keyId: Uint8Array): SigningKey {
  const hex = Buffer.from(keyId).toString('hex');
  const handles = findObjects(native, session, [
    { type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY },
    { type: ck.CKA_TOKEN, value: true },
    { type: ck.CKA_ID, value: Buffer.from(keyId) },
  ]);
  const handle = handles[0];
  if (!handle) throw new SigillumError('pkcs11_key_not_found', `There is no key ${hex} on the token.`);
  if (handles.length > 1) {
    throw new SigillumError('pkcs11_key_ambiguous', `There are ${handles.length} keys ${hex} on the token.`);
  }
  return readSigningKey(native, session, handle);
}
