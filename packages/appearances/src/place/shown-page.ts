import { type Page, type PageBoxes, type PdfDocument, type Rectangle, readPageBoxes } from '@sigillum/pdf';
import type { ShownRectangle } from '../request/appearance-request.ts';
import { type Matrix, transform } from './matrix.ts';

/** A page as a reader shows it: turned, cropped, in points from its lower left corner. */
export type ShownPage = {
  readonly page: Page;
  readonly rotate: PageBoxes['rotate'];
  readonly userUnit: number;
  readonly width: number;
  readonly height: number;
  /** From default user space (ISO 32000-2 §8.3.2.3) to points on the shown page. */
  readonly toShown: Matrix;
  /** And back. */
  readonly toUser: Matrix;
};

/** How a page is shown (§7.7.3.3: CropBox, Rotate, UserUnit; §14.11.2). */
export function readShownPage(document: PdfDocument, page: Page): ShownPage {
  const { cropBox, rotate, userUnit: u } = readPageBoxes(document, page);
  const [left, bottom, right, top] = cropBox;
  const across = (right - left) * u;
  const up = (top - bottom) * u;
  const turned = rotate === 90 || rotate === 270;
  const [toShown, toUser] = makeMatrices(cropBox, rotate, u);
  return { page, rotate, userUnit: u, width: turned ? up : across, height: turned ? across : up, toShown, toUser };
}

function makeMatrices(box: Rectangle, rotate: PageBoxes['rotate'], u: number): readonly [Matrix, Matrix] {
  const [l, b, r, t] = box;
  const v = 1 / u;
  switch (rotate) {
    case 0:
      return [
        [u, 0, 0, u, -l * u, -b * u],
        [v, 0, 0, v, l, b],
      ];
    case 90: // clockwise: what was the left edge is above
      return [
        [0, -u, u, 0, -b * u, r * u],
        [0, v, -v, 0, r, b],
      ];
    case 180:
      return [
        [-u, 0, 0, -u, r * u, t * u],
        [-v, 0, 0, -v, r, t],
      ];
    case 270:
      return [
        [0, u, -u, 0, t * u, -l * u],
        [0, -v, v, 0, l, t],
      ];
  }
}

/** A rectangle on the shown page in default user space, as /Rect has it; rounded to a thousandth. */
export function toUserRectangle({ toUser }: ShownPage, [left, bottom, right, top]: ShownRectangle): Rectangle {
  return spanBox(transform(toUser, left, bottom), transform(toUser, right, top));
}

/** The other way round. */
export function toShownRectangle({ toShown }: ShownPage, [left, bottom, right, top]: Rectangle): ShownRectangle {
  return spanBox(transform(toShown, left, bottom), transform(toShown, right, top));
}

function spanBox([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): Rectangle {
  return [round(Math.min(x1, x2)), round(Math.min(y1, y2)), round(Math.max(x1, x2)), round(Math.max(y1, y2))];
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000 + 0; // + 0: no negative zero
}

/** The matrix of a form that stands upright on the shown page; its own space is points from its lower left corner. */
export function makeUprightMatrix({ rotate, userUnit }: ShownPage, width: number, height: number): Matrix {
  const v = 1 / userUnit;
  switch (rotate) {
    case 0:
      return [v, 0, 0, v, 0, 0];
    case 90:
      return [0, v, -v, 0, height * v, 0];
    case 180:
      return [-v, 0, 0, -v, width * v, height * v];
    case 270:
      return [0, -v, v, 0, 0, width * v];
  }
}
