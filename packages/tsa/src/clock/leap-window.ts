/** Time-stamping pauses from this long before a leap second until a measurement made after it. */
const marginMs = 2000;

/**
 * Whether a clock last measured at `measuredAt` may not be used at `now` because of an announced leap second: from two
 * seconds before the end of the month until it is measured again after it. In that second UTC has a 61st second that
 * neither POSIX time nor most kernels can say, some repeat one and some smear a whole day: EN 319 421 §7.7.2 wants the
 * clock right through it, and no time is righter than one that can't be told.
 */
export function isInLeapWindow(now: number, measuredAt: number): boolean {
  const date = new Date(measuredAt);
  const monthEnd = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return now >= monthEnd - marginMs;
}
