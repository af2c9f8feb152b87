/** A glyph as shaping placed it, in thousandths of the font size. */
export type PlacedGlyph = {
  /** Number in the whole font. */
  readonly id: number;
  /** What it stands for, for copying and searching; empty for the second glyph of a sequence. */
  readonly text: string;
  readonly advance: number;
  /** The glyph's own width, which the PDF's viewer advances by. */
  readonly width: number;
  readonly x: number;
  readonly y: number;
};

/** A piece of text without a line break. */
export type GlyphRun = { readonly glyphs: readonly PlacedGlyph[]; readonly width: number };
