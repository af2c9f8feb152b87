import type { Orientation } from './read-orientation.ts';

/** An image, decoded as far as it has to be, and encoded as a PDF shows it (ISO 32000-2 §8.9.5). */
export type SealImage = {
  readonly width: number;
  readonly height: number;
  readonly colours: 'grey' | 'rgb' | 'cmyk' | 'indexed';
  /** RGB triples of an indexed image. */
  readonly palette?: Uint8Array;
  readonly bits: number;
  readonly filter: 'FlateDecode' | 'DCTDecode';
  readonly data: Uint8Array;
  /** Whether the rows begin with PNG's filters. */
  readonly predicted?: boolean;
  /** Adobe writes CMYK the other way round. */
  readonly inverted?: boolean;
  /** 8 bits of opacity for each pixel, compressed. */
  readonly alpha?: Uint8Array;
  /** How it is to be turned; upright without. */
  readonly orientation?: Orientation;
};
