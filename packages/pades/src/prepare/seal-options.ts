/** What the sealer says in the signature dictionary. Texts are bounded by `limits` in `assert-seal-options.ts`. */
export type SealOptions = {
  /** `/M`, to the second. It must lie in the certificate's validity: that is for the caller to check. */
  readonly signingTime: Date;
  readonly reason?: string;
  readonly location?: string;
  readonly contactInfo?: string;
  /** `/Name` of the signer. */
  readonly name?: string;
  /** Name of the new field; without it the first free of Signature1, Signature2, … */
  readonly fieldName?: string;
};

/** Random bytes from the caller: the pure core has no source of its own. */
export type Random = (length: number) => Uint8Array;
