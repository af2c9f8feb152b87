/** Identifier octets of the universal types in use (X.690 §8.1.2); SEQUENCE and SET with the constructed bit. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Identifier octet of a constructed context-specific tag: `[n] EXPLICIT`, or `[n] IMPLICIT` over SEQUENCE or SET. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** Identifier octet of a primitive context-specific tag: `[n] IMPLICIT` over a primitive type. */
export function primitiveContextTag(number: number): number {
  return 0x80 | number;
}
