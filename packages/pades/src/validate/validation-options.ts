import type { ValidationProfile } from './validation-report.ts';

export type ValidationOptions = {
  /** Trust anchors for signers and time-stamp authorities, DER. */
  readonly roots: readonly Uint8Array[];
  /** Certificates that may help to build paths, such as issuers fetched from where a certificate says, DER. */
  readonly certificates?: readonly Uint8Array[];
  /**
   * Whether the file itself must prove that no certificate was revoked. False when left out: what its lists and answers say
   * is believed, and their absence is only told (`notChecked`).
   */
  readonly requiresRevocation?: boolean;
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
