import type { Forgery } from '../forgeries/forgery.ts';
import type { PreparedTargets } from '../forgeries/attack-targets.ts';
import { brokenXrefs, lyingLengths, strangePageTrees } from './damaged-structure.ts';
import { duplicateDefinitions, duplicateKeys } from './duplicate-definitions.ts';
import { farPages } from './far-pages.ts';
import { attack, type InputAttack } from './input-attack.ts';
import { missingObjects } from './missing-objects.ts';
import { nestedKeys } from './nested-keys.ts';
import { objectStreamTricks } from './object-streams.ts';
import { overlays } from './overlays.ts';

/**
 * Hostile documents to be sealed: those that are hostile without any signature, and, as inputs, forged seals and the
 * documents that they were made of.
 */
export function makeInputAttacks(
  forgeries: readonly Forgery[],
  { certified, closed, covered, twin }: PreparedTargets,
): readonly InputAttack[] {
  return [
    ...duplicateDefinitions(),
    ...duplicateKeys(),
    ...nestedKeys(),
    ...missingObjects(),
    ...brokenXrefs(),
    ...lyingLengths(),
    ...strangePageTrees(),
    ...farPages(),
    ...objectStreamTricks(),
    ...overlays(),
    attack('target-certified', 'a document certified with P=2', certified),
    attack('target-closed', 'a document certified with P=1', closed),
    attack('target-covered', 'a signed document under a picture', covered),
    attack('target-twin', 'a signed document with a hidden second definition', twin),
    ...forgeries.map(({ name, attacks, bytes }) => attack(`forged-${name}`, attacks, bytes)),
  ];
}
