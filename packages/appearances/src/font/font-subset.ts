/** A part of a font, ready to be embedded as CIDFontType2. */
export type FontSubset = {
  /** PostScript name with the subset's tag. */
  readonly name: string;
  readonly metrics: {
    readonly ascent: number;
    readonly descent: number;
    readonly capHeight: number;
    readonly italicAngle: number;
    readonly box: readonly number[];
  };
  /** The TrueType file, compressed. */
  readonly file: Uint8Array;
  readonly fileLength: number;
  /** Number of a glyph in the whole font → its number here, which is its CID. */
  readonly cids: ReadonlyMap<number, number>;
  /** CID → what it stands for. */
  readonly texts: ReadonlyMap<number, string>;
  /** Widths by CID, of every glyph in the file. */
  readonly widths: readonly number[];
};
