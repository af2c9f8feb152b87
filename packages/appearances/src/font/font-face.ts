import type { Font } from '@pdf-lib/fontkit';
import type { Deflate } from './deflate.ts';
import type { Face } from './face.ts';
import type { FontSubset } from './font-subset.ts';
import type { GlyphRun, PlacedGlyph } from './glyph-run.ts';
import { SubsetMaker } from './subset-maker.ts';
import type { TrueTypeFile } from './true-type-file.ts';

/** A font that this package comes with: shaped by fontkit, with kerning and combining marks. */
export class FontFace implements Face {
  readonly name: string;
  readonly #font: Font;
  readonly #subsets: SubsetMaker;
  readonly #characters: ReadonlySet<number>;

  /** @param font what fontkit reads from the same `file` */
  constructor(file: TrueTypeFile, font: Font, deflate: Deflate) {
    this.#font = font;
    this.name = font.postscriptName ?? 'Font';
    this.#characters = new Set(font.characterSet);
    const { ascent, descent, capHeight, italicAngle, bbox } = font;
    const box = [bbox.minX, bbox.minY, bbox.maxX, bbox.maxY];
    const metrics = { ascent, descent, capHeight, italicAngle, box };
    this.#subsets = new SubsetMaker({ name: this.name, identity: this.name, file, metrics }, deflate);
  }

  /** What each named glyph of the font stands for. */
  listGlyphNames(): ReadonlyMap<string, string> {
    const names = new Map<string, string>();
    for (const point of this.#characters) {
      const { name } = this.#font.glyphForCodePoint(point) as { readonly name?: string };
      if (name !== undefined && !names.has(name)) names.set(name, String.fromCodePoint(point));
    }
    return names;
  }

  canShow(cluster: string): boolean {
    for (const character of cluster) if (!this.#characters.has(character.codePointAt(0) ?? 0)) return false;
    return true;
  }

  shape(text: string): GlyphRun {
    // no ligatures: each character stays one that can be searched for and that a cached subset has
    const { glyphs, positions } = this.#font.layout(text, { liga: false, dlig: false, clig: false });
    let width = 0;
    const placed = glyphs.map((glyph, index): PlacedGlyph => {
      const position = positions[index];
      const advance = position?.xAdvance ?? glyph.advanceWidth;
      width += advance;
      return {
        id: glyph.id,
        text: String.fromCodePoint(...glyph.codePoints),
        advance,
        width: glyph.advanceWidth,
        x: position?.xOffset ?? 0,
        y: position?.yOffset ?? 0,
      };
    });
    return { glyphs: placed, width };
  }

  subset(glyphs: ReadonlyMap<number, string>): FontSubset {
    return this.#subsets.make(glyphs);
  }
}
