import type { SealAppearance } from './seal-appearance.ts';

/** What the sealer says in the signature dictionary. Texts are bounded by `sealLimits` in `assert-seal-options.ts`. */
export type SealOptions = {
  /** `/M`, to the second. It must lie in the certificate's validity: that is for the caller to check. */
  readonly signingTime: Date;
  readonly reason?: string;
  readonly location?: string;
  readonly contactInfo?: string;
  /** `/Name` of the signer. */
  readonly name?: string;
  /**
   * Full name of an existing empty signature field, which is filled, or the name of the new one; without it a new one is
   * called by the first free of Signature1, Signature2, …
   */
  readonly fieldName?: string;
  /**
   * Certifies the document (DocMDP, ISO 32000-2 table 257): 1 allows no change afterwards, 2 filling forms and signing,
   * 3 annotations too. Only a document without any signature can be certified.
   */
  readonly certify?: 1 | 2 | 3;
  /** Makes the seal visible. Without it a new field shows nothing, and an existing one an empty appearance. */
  readonly appearance?: SealAppearance;
};

/** Random bytes from the caller: the pure core has no source of its own. */
export type Random = (length: number) => Uint8Array;
