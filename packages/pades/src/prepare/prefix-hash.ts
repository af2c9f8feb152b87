import type { DigestName } from '@sigillum/algorithms';

/** A digest that has already taken in the whole input, so that the input needn't be read again. */
export type PrefixHash = {
  readonly algorithm: DigestName;
  /** Digest of the whole input ‖ parts, from the mid-state; callable more than once. */
  finish(parts: readonly Uint8Array[]): Uint8Array;
};
