import { getSignatureAlgorithm, type KeySpec, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import * as ck from './constants.ts';
import { flagNames } from './attribute-names.ts';
import { type KeyDepartures, noDepartures } from './key-departures.ts';
import { provenanceFlags, requiredFlags } from './key-template.ts';
import type { NativeHandle, NativeModule } from './native-addon.ts';
import { Pkcs11Failure } from './pkcs11-failure.ts';
import { parseReturnCode } from './return-code.ts';

/** A private key's attributes by name; lists are mechanisms as numbers. What the module does not know is absent. */
export type KeyAttributes = Readonly<Record<string, boolean | number | string | readonly number[]>>;

const ATTRIBUTE_TYPE_INVALID = 0x12;

/** One attribute's bytes; `undefined` when the module does not know the attribute. */
export function readAttribute(
  native: NativeModule,
  session: NativeHandle,
  object: NativeHandle,
  type: number,
): Buffer | undefined {
  // One attribute a call: the addon throws away all values when one of them is unknown.
  try {
    const value = native.C_GetAttributeValue(session, object, [{ type }])[0]?.value;
    return Buffer.isBuffer(value) ? value : undefined;
  } catch (error) {
    const code = parseReturnCode(error);
    if (code === ATTRIBUTE_TYPE_INVALID) return undefined;
    throw new Pkcs11Failure('C_GetAttributeValue', code);
  }
}

function decodeUlongs(bytes: Buffer): number[] {
  const count = Math.floor(bytes.length / ck.CK_ULONG_BYTES);
  return Array.from({ length: count }, (_, index) => Number(bytes.readBigUInt64LE(index * ck.CK_ULONG_BYTES)));
}

/** Reads everything about a private key that a transcript or an inventory states. */
export function readKeyAttributes(native: NativeModule, session: NativeHandle, key: NativeHandle): KeyAttributes {
  const read = (type: number): Buffer | undefined => readAttribute(native, session, key, type);
  const attributes: Record<string, boolean | number | string | readonly number[]> = {};
  for (const [type, name] of flagNames) {
    const value = read(type);
    if (value) attributes[name] = value[0] !== 0;
  }
  const id = read(ck.CKA_ID);
  if (id) attributes['CKA_ID'] = id.toString('hex');
  const label = read(ck.CKA_LABEL);
  if (label) attributes['CKA_LABEL'] = label.toString('utf8');
  const origin = read(ck.CKA_KEY_GEN_MECHANISM);
  const originNumber = origin && decodeUlongs(origin)[0];
  if (originNumber !== undefined) attributes['CKA_KEY_GEN_MECHANISM'] = originNumber;
  const allowed = read(ck.CKA_ALLOWED_MECHANISMS);
  if (allowed) attributes['CKA_ALLOWED_MECHANISMS'] = decodeUlongs(allowed);
  return Object.freeze(attributes);
}

/**
 * Checks what was read back against what a non-exportable signing key must be, but for the vendor's departures. An
 * attribute that a profile calls unknown must be as required when the module answers it after all.
 * @throws `pkcs11_key_attributes_wrong`, naming every attribute that differs.
 */
export function assertKeyAttributes(
  attributes: KeyAttributes,
  expected: { spec: KeySpec; algorithm: SignatureAlgorithmName; keyId: Uint8Array; label: string },
  departures: KeyDepartures = noDepartures,
): void {
  const wanted = new Map<string, unknown>();
  for (const [type, value] of [...requiredFlags, ...provenanceFlags]) wanted.set(flagNames.get(type) ?? '', value);
  wanted.set('CKA_ID', Buffer.from(expected.keyId).toString('hex'));
  wanted.set('CKA_LABEL', expected.label);
  const generation = expected.spec.kind === 'ec' ? ck.CKM_EC_KEY_PAIR_GEN : ck.CKM_RSA_PKCS_KEY_PAIR_GEN;
  wanted.set('CKA_KEY_GEN_MECHANISM', generation);
  wanted.set('CKA_ALLOWED_MECHANISMS', [getSignatureAlgorithm(expected.algorithm).pkcs11Mechanism]);
  for (const [name, value] of Object.entries(departures.readsBack)) wanted.set(name, value);
  for (const name of departures.unknown) if (attributes[name] === undefined) wanted.delete(name);
  const wrong = [...wanted].filter(([name, value]) => JSON.stringify(attributes[name]) !== JSON.stringify(value));
  if (wrong.length > 0) {
    const names = wrong.map(([name]) => name).join(', ');
    throw new SigillumError(
      'pkcs11_key_attributes_wrong',
      `These attributes of the key are not as required: ${names}.`,
    );
  }
}
