import { SigillumError } from '@sigillum/errors';
import type { FieldPlace } from '@sigillum/pades';
import { getPage, type PdfDocument } from '@sigillum/pdf';
import type { FoundAnchor } from '../anchor/find-anchor.ts';
import { appearanceLimits as limits } from '../request/appearance-limits.ts';
import type { AnchorRequest, AppearanceRequest, ShownRectangle } from '../request/appearance-request.ts';
import { findRequestedPage } from './find-requested-page.ts';
import { readShownPage, type ShownPage, toShownRectangle } from './shown-page.ts';

/** Where a seal is shown. */
export type Place = { readonly shown: ShownPage; readonly rectangle: ShownRectangle };

/** How far a rectangle may reach over the edge: sizes in other units are rounded. */
const tolerance = 0.05;
/** Between an anchor's text and the seal beside it. */
const anchorGap = 4;

/**
 * The place that a request names, on the page as it is shown. Undefined when it names none.
 *
 * @throws SigillumError `appearance_page_unknown`, `appearance_rectangle_outside`, `appearance_rectangle_small`
 */
export function findPlace(
  document: PdfDocument,
  request: AppearanceRequest,
  anchor: FoundAnchor | undefined,
): Place | undefined {
  if (request.anchor && anchor) {
    const shown = readShownPage(document, anchor.page);
    return check(shown, putBeside(anchor.box, request.anchor), '/anchor');
  }
  if (request.rectangle) {
    const shown = readShownPage(document, findRequestedPage(document, request.page ?? -1));
    return check(shown, request.rectangle, '/rectangle');
  }
  return undefined;
}

/** The place of an existing field; only its size is asked. */
export function findFieldPlace(document: PdfDocument, field: FieldPlace): Place {
  const shown = readShownPage(document, getPage(document, field.page));
  const rectangle = toShownRectangle(shown, field.rectangle);
  assertSize(rectangle, '');
  return { shown, rectangle };
}

function putBeside([left, bottom, right, top]: ShownRectangle, anchor: AnchorRequest): ShownRectangle {
  const { width, height, offset } = anchor;
  const [x, y] = {
    above: [left, top + anchorGap] as const,
    below: [left, bottom - anchorGap - height] as const,
    right: [right + anchorGap, (bottom + top - height) / 2] as const,
    left: [left - anchorGap - width, (bottom + top - height) / 2] as const,
    over: [left, bottom] as const,
  }[anchor.position];
  return [x + offset[0], y + offset[1], x + offset[0] + width, y + offset[1] + height];
}

function check(shown: ShownPage, rectangle: ShownRectangle, pointer: string): Place {
  const [left, bottom, right, top] = rectangle;
  const { width, height } = shown;
  if (left < -tolerance || bottom < -tolerance || right > width + tolerance || top > height + tolerance) {
    const page = `${round(width)} × ${round(height)} points`;
    throw new SigillumError(
      'appearance_rectangle_outside',
      `The rectangle of the seal, ${rectangle.map(round).join(', ')}, reaches outside the page of ${page}.`,
      { fields: [{ pointer, detail: `must be inside the page of ${page}` }] },
    );
  }
  assertSize(rectangle, pointer);
  return { shown, rectangle };
}

function assertSize([left, bottom, right, top]: ShownRectangle, pointer: string): void {
  if (right - left >= limits.side && top - bottom >= limits.side) return;
  throw new SigillumError(
    'appearance_rectangle_small',
    `The rectangle of the seal has ${round(right - left)} × ${round(top - bottom)} points; it needs ${limits.side} a side.`,
    { fields: [{ pointer, detail: `must have at least ${limits.side} points a side` }] },
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
