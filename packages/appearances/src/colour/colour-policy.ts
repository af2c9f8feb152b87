import { PdfDict, PdfName, type PdfObject, PdfReal } from '@sigillum/pdf';
import type { PdfaClaim } from './read-pdfa-claim.ts';

/** Red, green, blue from 0 to 255. */
export type Rgb = readonly [number, number, number];

export type ColourSpace = 'DeviceGray' | 'CalGray' | 'DeviceRGB' | 'CalRGB';

/** Which colour spaces a seal may use so that a document stays what it claims to be. */
export type ColourPolicy = {
  readonly grey: 'DeviceGray' | 'CalGray';
  readonly rgb: 'DeviceRGB' | 'CalRGB';
  readonly cmyk: boolean;
  readonly transparency: boolean;
};

/**
 * ISO 19005-1 §6.2.3, 19005-2 §6.2.4: device colours must be those of the output intent, DeviceGray needs any intent;
 * CIE-based spaces are always allowed, and these two need no profile. Transparency is forbidden in part 1, and needs a
 * blending space of the page or an output intent in the others: no seal needs it there.
 */
export function chooseColours(claim: PdfaClaim | undefined): ColourPolicy {
  if (claim === undefined) return { grey: 'DeviceGray', rgb: 'DeviceRGB', cmyk: true, transparency: true };
  const { intentColours } = claim;
  return {
    grey: intentColours === undefined ? 'CalGray' : 'DeviceGray',
    rgb: intentColours === 3 ? 'DeviceRGB' : 'CalRGB',
    cmyk: intentColours === 4,
    transparency: false,
  };
}

/** The colour space as a PDF has it (ISO 32000-2 §8.6.5): the calibrated ones are sRGB with a plain gamma. */
export function makeColourSpace(space: ColourSpace): PdfObject {
  if (space === 'DeviceGray' || space === 'DeviceRGB') return new PdfName(space);
  const whitePoint = reals('0.9505', '1', '1.089');
  if (space === 'CalGray')
    return [
      new PdfName(space),
      new PdfDict([
        ['WhitePoint', whitePoint],
        ['Gamma', new PdfReal('2.2')],
      ]),
    ];
  return [
    new PdfName(space),
    new PdfDict([
      ['WhitePoint', whitePoint],
      ['Gamma', reals('2.2', '2.2', '2.2')],
      ['Matrix', reals('0.4124', '0.2126', '0.0193', '0.3576', '0.7152', '0.1192', '0.1805', '0.0722', '0.9505')],
    ]),
  ];
}

/** `#rrggbb`, already checked. */
export function parseColour(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff];
}

function reals(...texts: readonly string[]): PdfReal[] {
  return texts.map((text) => new PdfReal(text));
}
