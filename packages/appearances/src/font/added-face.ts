import type { Deflate } from './deflate.ts';
import type { Face } from './face.ts';
import type { FontSubset } from './font-subset.ts';
import type { GlyphRun } from './glyph-run.ts';
import type { ReadFont } from './read-added-font.ts';
import { SubsetMaker } from './subset-maker.ts';

/**
 * A font that was added: one glyph for each character, beside each other. Nothing that its other tables do to neighbours
 * is applied, so no such table needs to be trusted; combining marks would need one, and are not shown.
 */
export class AddedFace implements Face {
  readonly name: string;
  readonly #font: ReadFont;
  readonly #subsets: SubsetMaker;

  constructor(font: ReadFont, deflate: Deflate) {
    this.name = font.name;
    this.#font = font;
    this.#subsets = new SubsetMaker(font, deflate);
  }

  canShow(cluster: string): boolean {
    const point = cluster.codePointAt(0) ?? 0;
    return cluster === String.fromCodePoint(point) && !/\p{M}/u.test(cluster) && this.#font.characters.has(point);
  }

  shape(text: string): GlyphRun {
    const { characters, file } = this.#font;
    const scale = 1000 / file.unitsPerEm;
    let total = 0;
    const glyphs = Array.from(text, (character) => {
      const id = characters.get(character.codePointAt(0) ?? 0) ?? 0;
      const width = Math.round(file.getMetrics(id).width * scale);
      total += width;
      return { id, text: character, advance: width, width, x: 0, y: 0 };
    });
    return { glyphs, width: total };
  }

  subset(glyphs: ReadonlyMap<number, string>): FontSubset {
    return this.#subsets.make(glyphs);
  }
}
