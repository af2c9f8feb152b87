/** One character code of a string that is shown. */
export type ShownCode = {
  /** What it stands for; empty when the font doesn't say. */
  readonly text: string;
  /** Width in text space at size 1. */
  readonly width: number;
  /** Whether word spacing counts (ISO 32000-2 §9.3.3: the one-byte code 32). */
  readonly isSpace: boolean;
};

/** As much of a font as it takes to know what is written and how wide it is. */
export type TextFont = {
  readonly decode: (bytes: Uint8Array) => readonly ShownCode[];
  /** Widths and mappings that were read for it. */
  readonly entries: number;
};

/** What reading fonts needs to know from elsewhere. */
export type FontKnowledge = {
  /** Names of glyphs and what they stand for. */
  readonly glyphNames: ReadonlyMap<string, string>;
  /** Width of a character in one of the standard 14 fonts (§9.6.2.2), in thousandths. */
  readonly standardWidth: (font: string, text: string) => number | undefined;
};
