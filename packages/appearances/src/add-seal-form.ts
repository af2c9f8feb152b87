import {
  type IncrementalUpdate,
  PdfDict,
  PdfName,
  PdfNewStream,
  type PdfObject,
  PdfReal,
  type PdfRef,
} from '@sigillum/pdf';
import { makeColourSpace } from './colour/colour-policy.ts';
import { addFont } from './font/add-font.ts';
import type { Deflate } from './font/deflate.ts';
import { addImage } from './image/add-image.ts';
import { resourceNames } from './layout/content-writer.ts';
import type { SealParts } from './layout/lay-out-seal.ts';
import type { SetSeal } from './layout/set-seal.ts';

/** Adds the form XObject of a seal (ISO 32000-2 §8.10) with its fonts, its image and its colours. */
export function addSealForm(update: IncrementalUpdate, parts: SealParts, set: SetSeal, deflate: Deflate): PdfRef {
  const { policy, image } = parts;
  const fonts = Array.from(parts.fonts.values(), ({ resource, subset }): [string, PdfObject] => [
    resource,
    addFont(update, subset, deflate),
  ]);
  const spaces: [string, PdfObject][] = [];
  if (policy.grey === 'CalGray') spaces.push([resourceNames.grey, makeColourSpace('CalGray')]);
  if (policy.rgb === 'CalRGB') spaces.push([resourceNames.rgb, makeColourSpace('CalRGB')]);
  const resources: [string, PdfObject][] = [];
  if (fonts.length > 0) resources.push(['Font', new PdfDict(fonts)]);
  if (image) resources.push(['XObject', new PdfDict([[resourceNames.image, addImage(update, image, policy)]])]);
  if (spaces.length > 0) resources.push(['ColorSpace', new PdfDict(spaces)]);
  const form = update.allocate();
  const dict = new PdfDict([
    ['Type', new PdfName('XObject')],
    ['Subtype', new PdfName('Form')],
    ['BBox', [0, 0, toNumber(set.width), toNumber(set.height)]],
    ['Matrix', set.matrix.map(toNumber)],
    ['Resources', new PdfDict(resources)],
    ['Filter', new PdfName('FlateDecode')],
  ]);
  update.set(form, new PdfNewStream(dict, deflate(Buffer.from(set.content, 'latin1'))));
  return form;
}

/** At most six decimals, so that a scale stays exact enough for the largest page. */
function toNumber(value: number): number | PdfReal {
  const rounded = Math.round(value * 1e6) / 1e6 + 0;
  return Number.isSafeInteger(rounded) ? rounded : new PdfReal(rounded.toFixed(6).replace(/0+$/, ''));
}
