import type { ValidationProfile } from './validation-report.ts';

export type ValidationOptions = {
  /** Trust anchors for signers and time-stamp authorities, DER. */
  readonly roots: readonly Uint8Array[];
  /** The time at which is judged; nothing signed later is accepted. */
  readonly now: Date;
  /** `baseline` when left out. */
  readonly profile?: ValidationProfile;
  /**
   * Which signatures the verdict on the file is about: all, the last one and the time-stamps after it, or that of one
   * field. The others are reported, but don't refuse the file; what is wrong with the file itself always does.
   */
  readonly only?: SignatureChoice;
};

export type SignatureChoice = 'all' | 'last' | { readonly field: string };
