/** Bounds of a validation, far above what documents have. */
export const validationLimits = {
  /** Signatures and document time-stamps: each is hashed over all that it covers. */
  signatures: 64,
  /** Updates after the first signature: each is compared with what was before. */
  laterRevisions: 128,
  /** Bytes of Contents: a signature with revocation data inside reaches a megabyte. */
  contents: 8 * 1024 * 1024,
  /** Bytes hashed at a time. */
  chunk: 1024 * 1024,
  /** Bytes of the end that are looked at for startxref and %%EOF. */
  tail: 1024,
  /** How far `/M` and a time-stamp inside the signature may lie apart, as when sealing. */
  timeDifferenceMs: 5 * 60_000,
  /** How far two authorities' clocks may differ. */
  clockDifferenceMs: 60_000,
  /** Certificates taken from a DSS: paths through them are searched in bounded steps. */
  dssCertificates: 64,
  /** Certificates that are read once for all time-stamps: those of the DSS, roots, and some in the time-stamps. */
  knownCertificates: 256,
  /** Steps of all searches for paths together, a signature to be verified each: a chain takes two or three. */
  pathSteps: 2048,
  /** Lists, and answers, taken from a DSS: a file renewed each year for decades has fewer. */
  dssLists: 256,
  /** Bytes taken from a DSS: a megabyte of lists takes a tenth of a second to read, and the largest met have some megabytes. */
  dssBytes: 16 * 1024 * 1024,
  /** How long an OCSP answer without nextUpdate says something: a day, as public responders' answers live. */
  answerWithoutEndMs: 24 * 3_600_000,
} as const;
