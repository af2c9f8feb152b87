import { SigillumError } from '@sigillum/errors';
import { parseOidContent } from './oid.ts';
import type { DerNode } from './read-der.ts';
import { tags } from './tags.ts';

/** The value of an INTEGER or ENUMERATED. */
export function decodeInteger(node: DerNode): bigint {
  if (node.tag !== tags.integer && node.tag !== tags.enumerated) throw wrongType('INTEGER');
  return BigInt.asIntN(node.content.length * 8, BigInt(`0x${Buffer.from(node.content).toString('hex')}`));
}

/** The value of an INTEGER that must fit a small non-negative number: versions, lengths, milliseconds. */
export function decodeSmallInteger(node: DerNode): number {
  const value = decodeInteger(node);
  if (value < 0n || value > 0x7fffffffn) throw new SigillumError('pki_der_invalid', 'An INTEGER is out of range.');
  return Number(value);
}

export function decodeBoolean(node: DerNode): boolean {
  if (node.tag !== tags.boolean) throw wrongType('BOOLEAN');
  return node.content[0] === 0xff;
}

/** Dotted decimals of an OBJECT IDENTIFIER. */
export function decodeOid(node: DerNode): string {
  const dotted = node.tag === tags.oid ? parseOidContent(node.content) : undefined;
  if (dotted === undefined) throw wrongType('OBJECT IDENTIFIER');
  return dotted;
}

export function decodeOctetString(node: DerNode): Uint8Array {
  if (node.tag !== tags.octetString) throw wrongType('OCTET STRING');
  return node.content;
}

/** The bytes of a BIT STRING that is a whole number of bytes: keys and signatures. */
export function decodeBitString(node: DerNode): Uint8Array {
  if (node.tag !== tags.bitString || node.content[0] !== 0) throw wrongType('BIT STRING');
  return node.content.subarray(1);
}

/** The numbers of the bits set in a BIT STRING with named bits: KeyUsage, PKIFailureInfo. */
export function decodeNamedBits(node: DerNode): ReadonlySet<number> {
  if (node.tag !== tags.bitString) throw wrongType('BIT STRING');
  const bits = new Set<number>();
  node.content.subarray(1).forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) bits.add(index * 8 + bit);
  });
  return bits;
}

function wrongType(expected: string): SigillumError {
  return new SigillumError('pki_der_invalid', `The structure has something else where ${expected} belongs.`);
}
