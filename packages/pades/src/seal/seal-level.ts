/**
 * The baseline levels of EN 319 142-1 §6.1, lowest first: signature, + time-stamp, + validation data, + document
 * time-stamp. `b-b` is only ever made when it is asked for by name: never in place of a time-stamp that can't be had.
 */
export const sealLevels = ['b-b', 'b-t', 'b-lt', 'b-lta'] as const;
export type SealLevel = (typeof sealLevels)[number];

/** Whether a level has all that another has. */
export function isAtLeast(level: SealLevel, other: SealLevel): boolean {
  return sealLevels.indexOf(level) >= sealLevels.indexOf(other);
}
