import type { ByteSource } from '@sigillum/pdf';
import type { PrefixHash } from './prefix-hash.ts';
import type { PreparedSignature } from './prepared-signature.ts';
import type { Random, SealOptions } from './seal-options.ts';

export type PrepareInput = { readonly source: ByteSource; readonly prefixHash: PrefixHash };
export type PrepareOptions = SealOptions & {
  /** Bytes of CMS to reserve. */
  readonly contentsSize: number;
};

/** Step 3 of a seal: reads the input, checks the input policy and makes the increment with room for the CMS. */
export function prepareSignature(input: PrepareInput, options: PrepareOptions, random: Random): PreparedSignature {
  throw new Error(`not yet ${input.source.size} ${options.contentsSize} ${random.length}`);
}
