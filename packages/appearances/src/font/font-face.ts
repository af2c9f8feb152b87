import { createHash } from 'node:crypto';
import type { Font } from '@pdf-lib/fontkit';
import type { Deflate } from './deflate.ts';
import type { FontSubset } from './font-subset.ts';
import type { GlyphRun, PlacedGlyph } from './glyph-run.ts';
import { LeastRecentlyUsed } from './least-recently-used.ts';
import { subsetTrueType } from './subset-true-type.ts';
import type { TrueTypeFile } from './true-type-file.ts';

/** Subsets kept, of some 10 KiB each: one for each template and signer in daily use. */
const keptSubsets = 64;
/** Shaped pieces of text kept, of some KiB each: the lines and words of templates and names. */
const keptRuns = 2048;

/**
 * What can be shown: scripts that are written from left to right, a character beside the other. Format characters could
 * turn the text round, so that it reads as something else.
 */
const plain = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]$/u;
const hidden = /^[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Variation_Selector}]$/u;

/** One TrueType font: measures text, and makes subsets of itself. Remembers both, within bounds. */
export class FontFace {
  readonly name: string;
  readonly #file: TrueTypeFile;
  readonly #font: Font;
  readonly #metrics: FontSubset['metrics'];
  readonly #deflate: Deflate;
  readonly #characters: ReadonlySet<number>;
  readonly #runs = new LeastRecentlyUsed<GlyphRun>(keptRuns);
  readonly #subsets = new LeastRecentlyUsed<FontSubset>(keptSubsets);

  /** @param font what fontkit reads from the same `file` */
  constructor(file: TrueTypeFile, font: Font, deflate: Deflate) {
    this.#file = file;
    this.#font = font;
    this.#deflate = deflate;
    this.name = font.postscriptName ?? 'Font';
    this.#characters = new Set(font.characterSet);
    const { ascent, descent, capHeight, italicAngle, bbox } = font;
    const box = [bbox.minX, bbox.minY, bbox.maxX, bbox.maxY];
    this.#metrics = { ascent, descent, capHeight, italicAngle, box };
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

  /** The characters of a text that can't be shown, each once. */
  findUnsupported(text: string): readonly string[] {
    return [...new Set(text)].filter(
      (character) =>
        hidden.test(character) || !plain.test(character) || !this.#characters.has(character.codePointAt(0) ?? 0),
    );
  }

  /** Places the glyphs of a text, with kerning and combining marks; only after {@link findUnsupported}. */
  shape(text: string): GlyphRun {
    const known = this.#runs.find(text);
    if (known) return known;
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
    const run = { glyphs: placed, width };
    this.#runs.set(text, run);
    return run;
  }

  /** The font with nothing but the given glyphs, and what each stands for. The same glyphs always give the same bytes. */
  subset(glyphs: ReadonlyMap<number, string>): FontSubset {
    const list = [...glyphs].sort(([a], [b]) => a - b);
    const key = JSON.stringify(list);
    const known = this.#subsets.find(key);
    if (known) return known;
    const { file, glyphs: numbers } = subsetTrueType(
      this.#file,
      list.map(([id]) => id),
    );
    const subset = {
      name: `${makeTag(`${this.name} ${key}`)}+${this.name}`,
      metrics: this.#metrics,
      file: this.#deflate(file),
      fileLength: file.length,
      cids: new Map(numbers.map((id, cid) => [id, cid])),
      texts: new Map(list.map(([, text], index) => [index + 1, text])),
      widths: numbers.map((id) => this.#file.getMetrics(id).width),
    };
    this.#subsets.set(key, subset);
    return subset;
  }
}

/** Six capital letters that tell subsets apart (ISO 32000-2 §9.9.2). */
function makeTag(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  return Array.from(digest.subarray(0, 6), (byte) => String.fromCharCode(0x41 + (byte % 26))).join('');
}
