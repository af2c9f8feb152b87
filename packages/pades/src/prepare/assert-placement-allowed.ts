import { SigillumError } from '@sigillum/errors';
import type { EarlierPermissions } from './assert-changes-allowed.ts';
import { refuseInput } from './input-policy.ts';
import type { PlacedAppearance } from './seal-appearance.ts';

/** Units from the origin that a side may be away: twice what the largest page of PDF 1.6 has with its largest unit. */
const farthest = 2_160_000;

/** Refuses a new visible field in a certified document, and a rectangle that is none. */
export function assertPlacementAllowed({ rectangle }: PlacedAppearance, { level }: EarlierPermissions): void {
  if (level !== undefined) throw refuseInput('certification_allows_visible');
  const [left, bottom, right, top] = rectangle;
  const isFine = rectangle.every((side) => Math.abs(side) <= farthest);
  // a thousandth: what is less is no area any more when it is written
  if (isFine && right - left >= 0.001 && top - bottom >= 0.001) return;
  throw new SigillumError(
    'pades_appearance_unplaceable',
    'The rectangle of the visible seal has no area, or lies far off.',
    {
      fields: [{ pointer: '/appearance', detail: 'its rectangle has no area, or lies far off' }],
    },
  );
}
