import { appendAfterwards } from './append-afterwards.ts';
import { attackTargets, makeTargets, type PreparedTargets } from './attack-targets.ts';
import { changeAfterwards } from './change-afterwards.ts';
import { flipBytes } from './flip-bytes.ts';
import type { Forgery, ForgeryTools, SealedSample } from './forgery.ts';
import { knownRefusals } from './known-refusals.ts';
import { signBadDictionaries } from './sign-bad-dictionaries.ts';
import { signBadly } from './sign-badly.ts';
import { stuffContents } from './stuff-contents.ts';

/**
 * Broken outputs, made of any B-T seal of ours. Those that need a key are seals by `tools.pki`, so ask with its root
 * among the anchors; the others keep the sample's own signature.
 *
 * @example
 * const pki = await SoftwarePki.make();
 * const sealed = await sealBySoftware(makeSamplePdf(), pki);
 * for (const { name, bytes } of makeForgeries(sealed, { pki, strangers: await SoftwarePki.make('Strangers') })) …
 */
export function makeForgeries(
  sealed: SealedSample,
  tools: ForgeryTools,
  targets: PreparedTargets = makeTargets(sealed, tools),
): readonly Forgery[] {
  return [
    ...flipBytes(sealed),
    ...stuffContents(sealed, tools),
    ...changeAfterwards(sealed, tools),
    ...appendAfterwards(sealed),
    ...signBadly(sealed, tools),
    ...signBadDictionaries(sealed, tools),
    ...attackTargets(sealed, tools, targets),
  ].map((file) => ({ ...file, refusedBy: knownRefusals[file.name] ?? [] }));
}
