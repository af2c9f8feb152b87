export { embedContents } from './prepare/embed-contents.ts';
export type { PrefixHash } from './prepare/prefix-hash.ts';
export { type PrepareInput, type PrepareOptions, prepareSignature } from './prepare/prepare-signature.ts';
export type { PreparedSignature } from './prepare/prepared-signature.ts';
export type { Random, SealOptions } from './prepare/seal-options.ts';
