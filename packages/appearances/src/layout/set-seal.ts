import type { Place } from '../place/find-place.ts';

/** A seal set into its place. */
export type SetSeal = {
  readonly place: Place;
  readonly width: number;
  readonly height: number;
  readonly matrix: readonly number[];
  readonly content: string;
};
