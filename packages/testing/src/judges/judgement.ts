/** The judges by name, in the order in which their words are shown. */
export const judgeNames = ['dss', 'pyhanko', 'openssl-cms', 'openssl-ts', 'pdfsig', 'qpdf', 'verapdf'] as const;

export type JudgeName = (typeof judgeNames)[number];

/** `abstain`: has nothing to say about this file; `missing`: is not installed on this machine. */
export type Word = 'accept' | 'refuse' | 'unsigned' | 'abstain' | 'missing';

export type Verdict = 'accept' | 'refuse' | 'split' | 'unsigned';

/** All signatures of a file, the last one (for files that others signed before), or the one in a named field. */
export type Selection = 'all' | 'last' | { readonly field: string };

/** What a judge says about one signature; which of the optional facts are there depends on the judge. */
export type SignatureFacts = {
  readonly field?: string;
  readonly byteRange?: readonly number[];
  readonly reasons?: readonly string[];
  /** DSS: `PAdES-BASELINE-B` and so on. */
  readonly level?: string;
  /** DSS: `TOTAL_PASSED` and so on; pyHanko: `OK` or a sub-indication. */
  readonly indication?: string;
  readonly subIndication?: string | null;
  /** DSS: the word of the strict policy. */
  readonly strict?: string;
  readonly timestamps?: readonly { readonly type: string; readonly indication: string; readonly time: string | null }[];
  /** DSS: names of the format and cryptographic constraints that failed or warned. */
  readonly constraints?: readonly string[];
  readonly scope?: readonly string[];
  readonly messages?: readonly string[];
  /** pyHanko: `basic`, `with_time` or `lta`. */
  readonly process?: string;
  readonly coverage?: string | null;
  readonly modifications?: string | null;
};

export type Opinion = {
  readonly judge: JudgeName;
  readonly word: Word;
  /** Why not `accept`; for `abstain` and `missing` a note. */
  readonly reasons: readonly string[];
  readonly signatures?: readonly SignatureFacts[];
  /** veraPDF: what was checked. */
  readonly flavours?: readonly {
    readonly flavour: string;
    readonly compliant: boolean;
    readonly failedRules: string[];
  }[];
  /** qpdf: 0 without complaints, 3 with warnings, 2 with errors. */
  readonly exitCode?: number;
  readonly milliseconds: number;
};

export type Judgement = { readonly file: string; readonly verdict: Verdict; readonly opinions: readonly Opinion[] };

/** What one file is judged by. Paths are PEM or DER files, PEM with one or more entries. */
export type JudgeOptions = {
  readonly roots: readonly string[];
  readonly crls: readonly string[];
  /** Default `all`. */
  readonly only?: Selection;
  /** The exact level that DSS must find, for example `PAdES-BASELINE-T`; without it any baseline level will do. */
  readonly level?: string;
  /** The PDF/A flavour the file must keep (`2b`); without it veraPDF's word never counts in the verdict. */
  readonly flavour?: string;
  /** Lets pyHanko read files whose structure is damaged; for inputs that were so before they were sealed. */
  readonly lenient?: boolean;
  /** For each judge and file; default 20 s. */
  readonly limitMs?: number;
};

export const defaultLimitMs = 20_000;
