import type { DigestName } from '@sigillum/algorithms';

/** A signature that the document had already. */
export type EarlierSignatureState = {
  /** Full name of its field; undefined when only `/Perms` leads to it. */
  readonly fieldName: string | undefined;
  /**
   * By the digest over its ByteRange and its signature value, and nothing else: neither trust nor what came afterwards is
   * judged before a seal (design of the input policy). `not-checked`: formats and sizes that aren't looked at here.
   */
  readonly state: 'intact' | 'broken' | 'not-checked';
};

/** What comes before signing, frozen: nothing of the document can change between its digest and its signature. */
export type PreparedSignature = {
  /** Bytes that follow the input, with zeros in `/Contents`. */
  readonly increment: Uint8Array;
  /** As it stands in the signature dictionary (ISO 32000-2 §12.8.1): everything but `<hex>`. */
  readonly byteRange: readonly [number, number, number, number];
  /** Offset of the `<` of `/Contents` in the sealed file. */
  readonly contentsOffset: number;
  /** Bytes of CMS that fit into `/Contents`. */
  readonly contentsSize: number;
  readonly digestAlgorithm: DigestName;
  /** Digest over the ByteRange. */
  readonly digest: Uint8Array;
  /** Full name of the signature field. */
  readonly fieldName: string;
  /** Signatures that the document had already, in the order of its form. */
  readonly earlierSignatures: readonly EarlierSignatureState[];
};
