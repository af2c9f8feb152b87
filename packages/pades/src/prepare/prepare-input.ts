import type { ByteSource } from '@sigillum/pdf';
import type { PrefixHash } from './prefix-hash.ts';

export type PrepareInput = {
  readonly source: ByteSource;
  /** Has taken in exactly the bytes of `source`. */
  readonly prefixHash: PrefixHash;
};

/** Who will sign, DER: some signature fields want certain certificates (`/SV`). */
export type SealSigner = {
  readonly certificate: Uint8Array;
  /** The issuing CA first. */
  readonly chain: readonly Uint8Array[];
};
