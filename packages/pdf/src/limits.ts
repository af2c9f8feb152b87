/**
 * Bounds of everything that is read from a file of unknown origin. They are far above what producers write
 * (ISO 32000-1 annex C lists what readers were required to stand) and low enough that no file can eat the machine.
 */
export const limits = {
  /** Arrays and dictionaries inside each other; bounds the parser's recursion. Real files stay below 20. */
  nesting: 100,
  /** Bytes of a name or of any other token; annex C says 127. */
  tokenLength: 4096,
  /** Bytes of one string: the `/Contents` of signatures with revocation data inside reach megabytes. */
  stringLength: 16 * 1024 * 1024,
  /** Values in one object, its arrays and dictionaries together: an array of all pages of a huge file is the largest known. */
  objectValues: 1_000_000,
  /** Highest object number (annex C: 8,388,607 indirect objects). */
  objectNumber: 8_388_607,
  /** Cross-reference sections in one file: an update each; the most seen in public files is below 300. */
  xrefSections: 4096,
  /** Entries of all cross-reference sections together: twice what one section may have. */
  xrefEntries: 2 * 8_388_608,
  /** Decoded bytes of all cross-reference streams of a file together: they are kept while the document is open. */
  xrefDecoded: 256 * 1024 * 1024,
  /** Decoded bytes of one xref or object stream; a section of the highest number at 8 bytes per entry fits. */
  decodedLength: 64 * 1024 * 1024,
  /** Decoded bytes per encoded byte, above {@link limits.inflateFree}. Regular xref streams reach 100; deflate can reach 1032. */
  inflateRatio: 300,
  /** Decoded bytes that are allowed whatever the ratio. */
  inflateFree: 4 * 1024 * 1024,
  /** Bytes of one row of a predictor: far above any xref stream, low enough for two rows to be kept. */
  predictorRow: 1024 * 1024,
  /** Filters behind each other on one stream. */
  filters: 4,
  /** Objects in one object stream; producers write 100 to 200. */
  objectStreamObjects: 100_000,
  /** References that lead to references, and streams whose length lies in streams. */
  referenceHops: 16,
  /** Nodes of the page tree looked at on the way to a page, or to count them: no document has more pages. */
  pageTreeNodes: 200_000,
  /** Nodes above a page, as its `/Parent` entries lead to them. Balanced trees stay below 10; `/Parent` may go in a circle. */
  pageTreeDepth: 1000,
  /** Characters of a full field name; a reader shows a line of them. */
  fieldName: 2048,
  /** Fields and widgets of a form. */
  formFields: 100_000,
  /** Where the header may begin at the latest (ISO 32000-1 annex H.3, note 13). */
  headerSearch: 1024,
  /**
   * How far before the end, white space apart, the last `startxref` may lie. Readers look at the last 1 to 2 KiB; where
   * they don't find it they rebuild the table from whatever objects they see, and may show another document.
   */
  startxrefSearch: 2048,
  /** White space and zeros after the end that don't count: padding of downloads and of block devices. */
  trailingPadding: 64 * 1024,
  /**
   * Bytes parsed or decoded for one document, its cross-reference sections apart. Sealing a form of 20,000 fields takes
   * a third. Objects may lie inside each other's strings, so a small file could otherwise ask for quadratic work, and what
   * is parsed is kept: this bounds the memory too.
   */
  work: 64 * 1024 * 1024,
  /** Values parsed for one document; the smallest take two bytes in the file and fifty in memory. */
  values: 4_000_000,
  /** How many times {@link limits.work} and {@link limits.values} all views of one file may cost together: a form that was signed some ten times. */
  revisionWork: 8,
  /** Objects in use that a survey of all of them goes over, a microsecond or two each: the most in public files is 125,000. */
  surveyedObjects: 524_288,
  /**
   * Bytes of objects, without the data of streams, that a survey goes over: a quarter of a second of work. The most in public
   * files is 9.5 MB, and 12.5 MB of decoded object streams, for which the same holds in files of more than a megabyte.
   */
  surveyedBytes: 64 * 1024 * 1024,
  /** Objects that a survey has the strict reader judge, some ten microseconds each: the most in public files is 8. */
  surveyedDoubts: 4096,
  /** Objects kept after parsing. */
  cachedObjects: 4096,
  /** Decoded object streams kept. */
  cachedObjectStreams: 16,
  /** Largest offset that a classic table can hold: 10 digits (ISO 32000-2 §7.5.4). */
  tableOffset: 9_999_999_999,
} as const;
