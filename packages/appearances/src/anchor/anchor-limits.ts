/** Bounds of a search for an anchor; together they keep the hostile worst case at a few seconds, a page at a time. */
export const anchorLimits = {
  /** Pages searched without a page number. */
  pages: 2000,
  /** Decoded bytes of content, forms and fonts' maps, each time they are read: text of books is a few KiB a page. */
  bytes: 48 * 1024 * 1024,
  /** Decoded bytes of one page, so that nothing else waits for long. */
  pageBytes: 12 * 1024 * 1024,
  /** Character codes that one page shows. */
  pageCodes: 200_000,
  /** Form XObjects inside each other. */
  formDepth: 12,
  /** Saved graphics states; what is above is not saved (ISO 32000-1 annex C: 28). */
  states: 256,
  /** Operands that are kept of one operator: CMaps have up to 100 mappings of three, text arrays a few hundred. */
  operands: 4096,
  /** Characters in the ranges of one map from codes to Unicode. */
  mappings: 70_000,
  /** Characters that one code stands for: ligatures have up to five. */
  codeText: 16,
  /** Ranges of codes in a CMap; each code shown is looked for in all of them. */
  codeSpaces: 16,
  /** Fonts that are kept in memory while searching. */
  fonts: 64,
} as const;
