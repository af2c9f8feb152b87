import type { TimeStampToken } from '@sigillum/pki';
import type { SigningCredential } from './signing-credential.ts';
import { listTokenCertificates } from './raise-level.ts';
import type { RevocationRequest } from './revocation-source.ts';

/**
 * How new data about the signer must be: issued after the time-stamp, so that they can't miss a revocation from before it,
 * or of an age. Authorities that renew their lists once a day give nothing new right after a time-stamp.
 */
export type Freshness = 'after-time-stamp' | { readonly maxAgeMs: number };

/** The chain of the signer at the time of the time-stamp, and that of its TSA now: what B-LT proves. */
export function listSealChains(
  { certificate, chain }: SigningCredential,
  token: TimeStampToken,
  now: Date,
  freshness: Freshness | undefined,
): readonly RevocationRequest[] {
  const { genTime } = token;
  const notBefore =
    freshness === 'after-time-stamp' ? wholeSecond(genTime) : freshness && new Date(now.getTime() - freshness.maxAgeMs);
  return [
    { certificates: [certificate, ...chain], at: genTime, ...(notBefore ? { notBefore } : {}) },
    { certificates: listTokenCertificates(token), at: now },
  ];
}

/** Times in lists and OCSP answers have no fractions of a second. */
function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}
