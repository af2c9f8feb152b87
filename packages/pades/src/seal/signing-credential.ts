import type { SignatureAlgorithmName } from '@sigillum/algorithms';

/** Whose seal it is. The key itself is elsewhere: only what is public stands here. */
export type SigningCredential = {
  /** The seal's certificate, DER. */
  readonly certificate: Uint8Array;
  /** What goes into the CMS beside it: the issuing CA first; the root is optional. DER. */
  readonly chain: readonly Uint8Array[];
  /** One algorithm for the document's digest, the signed attributes and the signature. */
  readonly algorithm: SignatureAlgorithmName;
};
