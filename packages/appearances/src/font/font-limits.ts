/** Bounds of the fonts that are added to the one this package comes with; their files stay in memory. */
export const fontLimits = {
  /** One for each script in use, in two weights. */
  files: 16,
  /** Of one file: those with all of Chinese, Japanese and Korean have 10 to 35 MiB. */
  bytes: 48 * 1024 * 1024,
  /** Of all of them. */
  totalBytes: 128 * 1024 * 1024,
  /** Composed glyphs inside each other; real fonts have two or three. */
  componentDepth: 16,
} as const;
