/** What one character code shows, on the page as it is shown. */
export type PlacedText = {
  readonly text: string;
  /** Where its base line begins. */
  readonly x: number;
  readonly y: number;
  /** Its advance. */
  readonly dx: number;
  readonly dy: number;
  /** Where a point one font size above its beginning lies, relative to it. */
  readonly upX: number;
  readonly upY: number;
};
