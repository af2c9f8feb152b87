import type { FontSubset } from './font-subset.ts';
import type { GlyphRun } from './glyph-run.ts';

/** One font of those that a text is set in. */
export type Face = {
  /** PostScript name. */
  readonly name: string;
  /** Whether it can show a character, or one with its combining marks. */
  canShow(cluster: string): boolean;
  /** Places the glyphs of a text of which it can show each character. */
  shape(text: string): GlyphRun;
  /** The font with nothing but the given glyphs, and what each stands for. The same glyphs always give the same bytes. */
  subset(glyphs: ReadonlyMap<number, string>): FontSubset;
};
