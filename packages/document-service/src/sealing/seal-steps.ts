/** The steps of a seal in their order, and the answer that follows them. */
export const sealSteps = [
  'admit',
  'intent',
  'prepare',
  'sign',
  'time-stamp',
  // For b-lt and b-lta.
  'revocation',
  // For b-lta.
  'document-time-stamp',
  'assemble',
  'outcome',
  'answer',
] as const;

export type SealStep = (typeof sealSteps)[number];
