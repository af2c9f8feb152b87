/** Bounds of what a caller may ask for. All lengths on a page are points of 1/72 inch as the page is shown. */
export const appearanceLimits = {
  /** Shortest side of the rectangle: below 4 mm nothing can be read. */
  side: 12,
  /** Characters of a title: two lines of a wide seal. */
  title: 200,
  /** Characters of the text template, its fields not filled in. */
  text: 1000,
  /** Characters of title and text with the fields filled in: still readable on a whole page. */
  filled: 4000,
  /** Characters of one field's value; the same order as those of a signature dictionary. */
  field: 1000,
  /** Fields of a caller's own. */
  fields: 32,
  /** Characters of the anchor text: it stands in one line. */
  anchor: 200,
  /** Bytes of an image: a logo is some kilobytes, and it is embedded into every sealed file. */
  imageBytes: 1024 * 1024,
  /** Pixels of an image: 12 cm square at 400 dpi. Bounds the memory of decoding to 32 MB. */
  imagePixels: 4_000_000,
  /** Pixels of one side. */
  imageSide: 10_000,
  /** Characters of the address in a QR code with its fields filled in: 69 modules a side at level M. */
  qr: 300,
  /** Font sizes, in points. */
  fontSize: { min: 3, max: 72 },
  /** What fitting tries when no font size is given: 4 points are the smallest print of forms. */
  fit: { min: 4, max: 14 },
  /** Width of a border. */
  borderWidth: 10,
} as const;
