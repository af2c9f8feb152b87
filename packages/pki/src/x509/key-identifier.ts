import { createHash } from 'node:crypto';
import { decodeBitString } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { readDer } from '../der/read-der.ts';
import { tags } from '../der/tags.ts';

/** Key identifier of a SubjectPublicKeyInfo: the leftmost 160 bits of SHA-256 over the key (RFC 7093 §2, method 1). */
export function computeKeyIdentifier(spki: Uint8Array): Uint8Array {
  const fields = new DerFields(readDer(spki), 'SubjectPublicKeyInfo');
  fields.take(tags.sequence);
  const key = decodeBitString(fields.take(tags.bitString));
  fields.end();
  return new Uint8Array(createHash('sha256').update(key).digest().subarray(0, 20));
}
