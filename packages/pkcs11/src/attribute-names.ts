import * as ck from './constants.ts';

/** CK_BBOOL attributes of a private key that are read back, by type. */
export const flagNames: ReadonlyMap<number, string> = new Map([
  [ck.CKA_TOKEN, 'CKA_TOKEN'],
  [ck.CKA_PRIVATE, 'CKA_PRIVATE'],
  [ck.CKA_SENSITIVE, 'CKA_SENSITIVE'],
  [ck.CKA_SIGN, 'CKA_SIGN'],
  [ck.CKA_EXTRACTABLE, 'CKA_EXTRACTABLE'],
  [ck.CKA_MODIFIABLE, 'CKA_MODIFIABLE'],
  [ck.CKA_COPYABLE, 'CKA_COPYABLE'],
  [ck.CKA_DECRYPT, 'CKA_DECRYPT'],
  [ck.CKA_UNWRAP, 'CKA_UNWRAP'],
  [ck.CKA_DERIVE, 'CKA_DERIVE'],
  [ck.CKA_SIGN_RECOVER, 'CKA_SIGN_RECOVER'],
  [ck.CKA_ALWAYS_SENSITIVE, 'CKA_ALWAYS_SENSITIVE'],
  [ck.CKA_NEVER_EXTRACTABLE, 'CKA_NEVER_EXTRACTABLE'],
  [ck.CKA_LOCAL, 'CKA_LOCAL'],
  [ck.CKA_ALWAYS_AUTHENTICATE, 'CKA_ALWAYS_AUTHENTICATE'],
  [ck.CKA_WRAP_WITH_TRUSTED, 'CKA_WRAP_WITH_TRUSTED'],
]);

/** Every attribute that a profile may speak of, by name as the standard spells it. */
export const attributeTypes: ReadonlyMap<string, number> = new Map([
  ...Array.from(flagNames, ([type, name]) => [name, type] as const),
  ['CKA_KEY_GEN_MECHANISM', ck.CKA_KEY_GEN_MECHANISM],
  ['CKA_ALLOWED_MECHANISMS', ck.CKA_ALLOWED_MECHANISMS],
]);
