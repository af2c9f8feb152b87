import type { FontSubset } from '../font/font-subset.ts';

/** A font as a seal has it: the part of it that is shown, and its name among the resources. */
export type SealFont = { readonly resource: string; readonly subset: FontSubset };
