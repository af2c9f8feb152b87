import { toView } from './true-type-file.ts';

/** Flags of the parts of a composed glyph (OpenType specification, `glyf`). */
const argumentsAreWords = 0x0001;
const hasScale = 0x0008;
const moreComponents = 0x0020;
const hasTwoScales = 0x0040;
const hasMatrix = 0x0080;

/** Where a composed glyph has the numbers of its parts; none for a simple one. @throws RangeError when it ends within */
export function listComponents(outline: Uint8Array): readonly number[] {
  if (outline.length < 10 || toView(outline).getInt16(0) >= 0) return [];
  const view = toView(outline);
  const found: number[] = [];
  for (let at = 10; ; ) {
    const flags = view.getUint16(at);
    view.getUint16(at + 2);
    found.push(at + 2);
    const scale = (flags & hasScale) !== 0 ? 2 : (flags & hasTwoScales) !== 0 ? 4 : (flags & hasMatrix) !== 0 ? 8 : 0;
    at += 4 + ((flags & argumentsAreWords) !== 0 ? 4 : 2) + scale;
    if ((flags & moreComponents) === 0) return found;
  }
}
