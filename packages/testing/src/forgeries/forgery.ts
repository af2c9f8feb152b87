import type { JudgeName } from '../judges/judgement.ts';
import type { SoftwarePki } from './software-pki.ts';

/** A B-T seal of ours and what it was made of. */
export type SealedSample = {
  readonly bytes: Uint8Array;
  /** The document as it was before: the sealed bytes begin with it. */
  readonly input: Uint8Array;
};

export type ForgeryTools = {
  /** Signs where a forger needs a key: its own seals are good ones under its root. */
  readonly pki: SoftwarePki;
  /** Another hierarchy, under a root that nobody trusts. */
  readonly strangers: SoftwarePki;
};

/** A broken output. */
export type Forgery = {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** In a few words. */
  readonly attacks: string;
  /** The outside judges that say `refuse`, when all seven are asked about a sample (`knownRefusals`). */
  readonly refusedBy: readonly JudgeName[];
};

/** A forgery before it is known who refuses it. */
export type ForgedFile = Omit<Forgery, 'refusedBy'>;

export function forged(name: string, attacks: string, bytes: Uint8Array): ForgedFile {
  return { name, attacks, bytes };
}
