import { SigillumError } from '@sigillum/errors';

/** How far `/M` may lie from now when a seal begins, and from genTime when it ends. Two clocks and one slow HSM fit in. */
export const maxTimeDifferenceMs = 5 * 60_000;

type Validity = { readonly notBefore: Date; readonly notAfter: Date };

/** Before signing: now and `/M` lie inside the certificate's validity and near each other. Throws `pades_time_outside`. */
export function assertSigningTime(times: { readonly now: Date; readonly signingTime: Date }, leaf: Validity): void {
  assertInside('The current time', times.now, leaf);
  assertInside('The signing time', times.signingTime, leaf);
  if (Math.abs(times.now.getTime() - times.signingTime.getTime()) > maxTimeDifferenceMs) {
    throw new SigillumError(
      'pades_time_outside',
      'The signing time is more than five minutes away from the current time.',
    );
  }
}

/** After time-stamping: genTime lies inside the certificate's validity and near `/M`. Throws `pades_time_outside`. */
export function assertTimeStampTime(
  times: { readonly genTime: Date; readonly signingTime: Date },
  leaf: Validity,
): void {
  assertInside("The time-stamp's time", times.genTime, leaf);
  if (Math.abs(times.genTime.getTime() - times.signingTime.getTime()) > maxTimeDifferenceMs) {
    throw new SigillumError(
      'pades_time_outside',
      'The signing time and the time-stamp are more than five minutes apart. Check the clocks, or seal again.',
    );
  }
}

function assertInside(what: string, time: Date, leaf: Validity): void {
  if (time < leaf.notBefore || time > leaf.notAfter) {
    throw new SigillumError(
      'pades_time_outside',
      `${what} lies outside the certificate's validity (${leaf.notBefore.toISOString()} to ${leaf.notAfter.toISOString()}).`,
    );
  }
}
