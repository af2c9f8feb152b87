import { type DigestName, findDigestByOid, getDigestAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { decodeOctetString, decodeOid } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { encodeOctetString, encodeOid, encodeSequence } from '../der/encode-der.ts';
import type { DerNode } from '../der/read-der.ts';
import { tags } from '../der/tags.ts';

/** What is time-stamped: a digest, never the data. */
export type MessageImprint = { readonly algorithm: DigestName; readonly digest: Uint8Array };

/** MessageImprint ::= SEQUENCE { hashAlgorithm, hashedMessage }; parameters absent (RFC 5754 §2). */
export function encodeMessageImprint(imprint: MessageImprint): Uint8Array {
  return encodeSequence(
    encodeSequence(encodeOid(getDigestAlgorithm(imprint.algorithm).oid)),
    encodeOctetString(imprint.digest),
  );
}

/** The parts of a MessageImprint before anything is decided about them. */
export type RawImprint = { readonly oid: string; readonly parametersAreEmpty: boolean; readonly digest: Uint8Array };

export function readMessageImprint(node: DerNode): RawImprint {
  const fields = new DerFields(node, 'MessageImprint');
  const algorithm = fields.take(tags.sequence);
  const [oid, parameters, ...others] = algorithm.children;
  const digest = decodeOctetString(fields.take());
  fields.end();
  if (!oid || others.length > 0) throw new SigillumError('pki_der_invalid', 'An algorithm identifier is malformed.');
  return { oid: decodeOid(oid), parametersAreEmpty: parameters === undefined || parameters.tag === tags.null, digest };
}

/** The imprint when its algorithm is one of the table and the length fits, else undefined. */
export function findImprint(raw: RawImprint): MessageImprint | undefined {
  const algorithm = findDigestByOid(raw.oid);
  if (!algorithm || !raw.parametersAreEmpty || raw.digest.length !== algorithm.length) return undefined;
  return { algorithm: algorithm.name, digest: raw.digest };
}
