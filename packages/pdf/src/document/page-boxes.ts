import { isPdfArray, type PdfObject, PdfReal } from '../objects/pdf-object.ts';
import { wrongType } from '../objects/take.ts';
import type { Page } from './page.ts';
import type { PdfDocument } from './pdf-document.ts';

/** left, bottom, right, top in default user space, with left ≤ right and bottom ≤ top. */
export type Rectangle = readonly [left: number, bottom: number, right: number, top: number];

/** How a page is shown (ISO 32000-2 table 31). */
export type PageBoxes = {
  readonly mediaBox: Rectangle;
  /** What is shown: the part of `/CropBox` inside `/MediaBox` (§14.11.2.1), the whole `/MediaBox` where there is none. */
  readonly cropBox: Rectangle;
  /** Clockwise, when shown. */
  readonly rotate: 0 | 90 | 180 | 270;
  /** Size of a unit of user space in 1/72 inch; never inherited. */
  readonly userUnit: number;
};

/** US Letter: what readers show when no `/MediaBox` is there or it has no area. */
const fallbackBox: Rectangle = [0, 0, 612, 792];

/** The boxes, the rotation and the unit of a page, its own or inherited; wrong types are refused. */
export function readPageBoxes(document: PdfDocument, page: Page): PageBoxes {
  const mediaBox = readRectangle(document, page, 'MediaBox') ?? fallbackBox;
  const crop = readRectangle(document, page, 'CropBox');
  const rotate = findInherited(document, page, 'Rotate') ?? 0;
  const userUnit = readNumber(document.find(page.dict, 'UserUnit') ?? 1, '/UserUnit of a page');
  return {
    mediaBox,
    cropBox: (crop && intersect(crop, mediaBox)) ?? mediaBox,
    rotate: toQuarter(readNumber(rotate, '/Rotate of a page')),
    userUnit: userUnit > 0 ? userUnit : 1,
  };
}

/** An attribute of a page, its own or that of the nearest node above it that has one (§7.7.3.4), references followed. */
export function findInherited(document: PdfDocument, page: Page, key: string): PdfObject | undefined {
  for (const dict of [page.dict, ...page.ancestors]) {
    const value = document.find(dict, key);
    if (value !== undefined) return value;
  }
  return undefined;
}

function readRectangle(document: PdfDocument, page: Page, key: string): Rectangle | undefined {
  const value = findInherited(document, page, key);
  if (value === undefined) return undefined;
  if (!isPdfArray(value) || value.length !== 4) throw wrongType(`/${key} of a page`, 'a rectangle');
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = value.map((side) =>
    readNumber(document.resolve(side), `A side of /${key} of a page`),
  );
  // §7.9.5: any two opposite corners
  const box: Rectangle = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
  return box[0] < box[2] && box[1] < box[3] ? box : undefined;
}

function readNumber(value: PdfObject, what: string): number {
  const number = value instanceof PdfReal ? value.value : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw wrongType(what, 'a number');
}

/** Undefined when they have nothing in common: readers then show the media box. */
function intersect(crop: Rectangle, media: Rectangle): Rectangle | undefined {
  const left = Math.max(crop[0], media[0]);
  const bottom = Math.max(crop[1], media[1]);
  const right = Math.min(crop[2], media[2]);
  const top = Math.min(crop[3], media[3]);
  return left < right && bottom < top ? [left, bottom, right, top] : undefined;
}

/** What isn't a multiple of 90 isn't allowed, and readers don't turn the page then. */
function toQuarter(angle: number): PageBoxes['rotate'] {
  const turned = ((angle % 360) + 360) % 360;
  return turned === 90 || turned === 180 || turned === 270 ? turned : 0;
}
