import {
  type IncrementalUpdate,
  PdfDict,
  PdfName,
  PdfNewStream,
  type PdfObject,
  type PdfRef,
  PdfString,
} from '@sigillum/pdf';
import { type ColourPolicy, makeColourSpace } from '../colour/colour-policy.ts';
import type { SealImage } from './seal-image.ts';

/** Adds an image XObject (ISO 32000-2 §8.9.5), and its mask where it has one. */
export function addImage(update: IncrementalUpdate, image: SealImage, policy: ColourPolicy): PdfRef {
  const { width, height } = image;
  const entries: [string, PdfObject][] = [
    ['Type', new PdfName('XObject')],
    ['Subtype', new PdfName('Image')],
    ['Width', width],
    ['Height', height],
    ['ColorSpace', makeImageSpace(image, policy)],
    ['BitsPerComponent', image.bits],
    ['Filter', new PdfName(image.filter)],
  ];
  if (image.predicted) {
    const parameters: [string, PdfObject][] = [
      ['Predictor', 15],
      ['Colors', image.colours === 'rgb' ? 3 : 1],
      ['BitsPerComponent', image.bits],
      ['Columns', width],
    ];
    entries.push(['DecodeParms', new PdfDict(parameters)]);
  }
  if (image.inverted) entries.push(['Decode', [1, 0, 1, 0, 1, 0, 1, 0]]);
  if (image.alpha) {
    const mask = update.allocate();
    const dict = new PdfDict([
      ['Type', new PdfName('XObject')],
      ['Subtype', new PdfName('Image')],
      ['Width', width],
      ['Height', height],
      ['ColorSpace', new PdfName('DeviceGray')],
      ['BitsPerComponent', 8],
      ['Filter', new PdfName('FlateDecode')],
    ]);
    update.set(mask, new PdfNewStream(dict, image.alpha));
    entries.push(['SMask', mask]);
  }
  const ref = update.allocate();
  update.set(ref, new PdfNewStream(new PdfDict(entries), image.data));
  return ref;
}

function makeImageSpace({ colours, palette }: SealImage, policy: ColourPolicy): PdfObject {
  if (colours === 'cmyk') return new PdfName('DeviceCMYK');
  if (colours !== 'indexed' || !palette) return makeColourSpace(colours === 'grey' ? policy.grey : policy.rgb);
  return [new PdfName('Indexed'), makeColourSpace(policy.rgb), palette.length / 3 - 1, new PdfString(palette, true)];
}
