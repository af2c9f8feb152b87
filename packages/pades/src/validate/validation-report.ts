import type { CheckCode, Indication } from './checks.ts';

/** `baseline` accepts PAdES baseline only; `any-intact` also what is intact, trusted and unchanged but not baseline. */
export type ValidationProfile = 'baseline' | 'any-intact';

export type Finding = {
  readonly code: CheckCode;
  readonly severity: 'failure' | 'profile' | 'note';
  readonly sentence: string;
  /** More about this case; never document content. */
  readonly detail: string | undefined;
};

/** What later revisions did, from harmless to not. */
export const changeLevels = ['none', 'lta_update', 'new_signatures', 'form_filling', 'annotations', 'other'] as const;
export type ChangeLevel = (typeof changeLevels)[number];

/** What the file's own lists and answers say about a chain; `unknown` when they say nothing, or not enough. */
export type RevocationState = 'good' | 'revoked' | 'unknown';

export type CertificateFacts = {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
};

export type TimeStampFacts = {
  readonly kind: 'signature_time_stamp';
  readonly valid: boolean;
  readonly genTime: string | undefined;
  readonly authority: string | undefined;
  readonly revocation: RevocationState;
};

export type SignatureReport = {
  readonly kind: 'signature' | 'document_time_stamp';
  readonly field: string | undefined;
  readonly subFilter: string | undefined;
  /** `PAdES-BASELINE-B`, `-T`, `-LT` or `-LTA`, by what the file proves; `RFC 3161`. */
  readonly format: string | undefined;
  readonly indication: Indication;
  readonly subIndication: string | undefined;
  readonly accepted: boolean;
  /** Digests and signature value are right, whoever signed. */
  readonly intact: boolean;
  readonly byteRange: readonly number[] | undefined;
  /** Nothing of the file lies outside but the signature itself and an end of line. */
  readonly coversWholeFile: boolean;
  readonly changedSince: ChangeLevel;
  /** What later revisions changed, in words. */
  readonly changes: readonly string[];
  /** Bytes of the file that is what was signed. */
  readonly signedRevisionSize: number | undefined;
  readonly signer: CertificateFacts | undefined;
  readonly trustedChain: boolean;
  /** Subjects from the signer to the root. */
  readonly chain: readonly string[];
  /** Of this chain and those of the time-stamps inside the signature; the root's own isn't asked. */
  readonly revocation: RevocationState;
  readonly algorithm: string | undefined;
  readonly time: {
    /** `claimed` is no more than the signer's word. */
    readonly source: 'signature_time_stamp' | 'document_time_stamp' | 'claimed' | 'none';
    readonly value: string | undefined;
    readonly claimed: string | undefined;
  };
  readonly timeStamps: readonly TimeStampFacts[];
  /** ISO 32000-2 table 257, when this signature certifies. */
  readonly certifies: number | undefined;
  readonly findings: readonly Finding[];
};

export type ValidationReport = {
  readonly version: 1;
  /** False when the file is no PDF that can be read; nothing else was looked at then. */
  readonly readable: boolean;
  readonly accepted: boolean;
  readonly profile: ValidationProfile;
  /** One sentence for a person. */
  readonly summary: string;
  readonly validatedAt: string;
  readonly fileSize: number;
  readonly revisions: number;
  /** About the file as a whole. */
  readonly findings: readonly Finding[];
  /** In the order in which they were made. */
  readonly signatures: readonly SignatureReport[];
  /** What was not looked at: `trust_lists`; `revocation` when the file says nothing about it, for any signature. */
  readonly notChecked: readonly string[];
};
