import type { CheckedSignature } from './check-signature.ts';
import type { CheckedTimeStamp } from './check-time-stamp.ts';
import type { Findings } from './findings.ts';
import type { ReadSignature } from './read-signature.ts';
import { validationLimits } from './validation-limits.ts';
import type { SignatureReport } from './validation-report.ts';

export type BestTime = { readonly source: SignatureReport['time']['source']; readonly at: Date };

/** The best signature time (EN 319 102-1 §5.6.2.4): the earliest time-stamp that proves that the signature existed. */
export function findBestTime(
  end: number,
  stamps: ReadonlyMap<ReadSignature, CheckedTimeStamp>,
  own: readonly CheckedTimeStamp[],
): BestTime | undefined {
  const times: BestTime[] = own.flatMap(({ token }) =>
    token ? [{ source: 'signature_time_stamp' as const, at: token.genTime }] : [],
  );
  for (const [other, { token }] of stamps) {
    if (token && (other.dictionary.end ?? 0) > end) times.push({ source: 'document_time_stamp', at: token.genTime });
  }
  return times.sort((a, b) => a.at.getTime() - b.at.getTime())[0];
}

/** `/M` in the validity of the signer's certificate and near the time-stamps; time-stamps in order. */
export function checkTimes(
  signature: ReadSignature,
  { signer }: CheckedSignature,
  stamps: ReadonlyMap<ReadSignature, CheckedTimeStamp>,
  own: readonly CheckedTimeStamp[],
  at: Date,
): void {
  const { findings, dictionary } = signature;
  const { signingTime } = dictionary;
  const add = (why: string): void => findings.add('time_order_wrong', why);
  if (signingTime !== undefined) {
    if (signingTime.getTime() > at.getTime() + validationLimits.timeDifferenceMs)
      add('/M lies after the time that is proved.');
    if (signer !== undefined && (signingTime < wholeSecond(signer.notBefore) || signingTime > signer.notAfter)) {
      add("/M lies outside the validity of the signer's certificate.");
    }
    for (const { genTime } of own) {
      if (genTime === undefined) continue;
      if (Math.abs(genTime.getTime() - signingTime.getTime()) > validationLimits.timeDifferenceMs) {
        add('/M and the time-stamp are more than five minutes apart.');
      }
    }
  }
  for (const [other, { genTime }] of stamps) {
    if ((other.dictionary.end ?? 0) <= (dictionary.end ?? 0)) continue;
    for (const stamp of own) checkOrder(stamp.genTime, genTime, findings);
  }
}

/** /M has no fractions of a second. */
function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}

/** What was time-stamped earlier in the file must not say a later time. */
export function checkOrder(earlier: Date | undefined, later: Date | undefined, findings: Findings): void {
  if (earlier === undefined || later === undefined) return;
  if (earlier.getTime() > later.getTime() + validationLimits.clockDifferenceMs) {
    findings.add('time_order_wrong', 'A later time-stamp says an earlier time.');
  }
}
