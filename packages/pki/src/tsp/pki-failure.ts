/** Bit numbers of PKIFailureInfo that a TSA may answer (RFC 3161 §2.4.2). */
export const pkiFailures = {
  badAlg: 0,
  badRequest: 2,
  badDataFormat: 5,
  timeNotAvailable: 14,
  unacceptedPolicy: 15,
  unacceptedExtension: 16,
  addInfoNotAvailable: 17,
  systemFailure: 25,
} as const;

/** Why a TSA refuses, in the standard's words. */
export type PkiFailure = keyof typeof pkiFailures;

/** The name of a PKIFailureInfo bit, if a TSA may answer it. */
export function findPkiFailure(bit: number): PkiFailure | undefined {
  for (const [name, number] of Object.entries(pkiFailures)) if (number === bit) return name as PkiFailure;
  return undefined;
}
