import { SigillumError } from '@sigillum/errors';
import { type ColourPolicy, parseColour } from '../colour/colour-policy.ts';
import type { Face } from '../font/face.ts';
import { isTurned } from '../image/read-orientation.ts';
import type { SealImage } from '../image/seal-image.ts';
import type { AppearanceRequest } from '../request/appearance-request.ts';
import { ContentWriter } from './content-writer.ts';
import { fitText, type TextToFit } from './fit-text.ts';
import type { SealFont } from './seal-font.ts';
import { countModules, drawQrCode, type QrCode } from './make-qr-code.ts';

/** Everything that a seal shows, ready to be put into a rectangle. */
export type SealParts = {
  readonly request: AppearanceRequest;
  readonly policy: ColourPolicy;
  readonly text: TextToFit;
  /** In the order of their names. */
  readonly fonts: ReadonlyMap<Face, SealFont>;
  readonly image: SealImage | undefined;
  readonly qr: QrCode | undefined;
};

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** Space between the edge and what is inside, as part of the shorter side, and its bounds in points. */
const padding = { part: 0.09, min: 2, max: 9 };
const accentWidth = 2.5;
/** The most of the width that a logo or a code may take from the text, and of the height when above it. */
const imageShare = 0.4;
const qrShare = 0.45;
const topShare = 0.5;
/** A quarter of a millimetre: what printers and cameras still tell apart. */
const smallestModule = 0.7;

/**
 * The content stream of a seal of the given size in points.
 *
 * @throws SigillumError `appearance_text_too_long`, `appearance_rectangle_small`
 */
export function layOutSeal(parts: SealParts, width: number, height: number): string {
  const { request, image, qr } = parts;
  const writer = new ContentWriter(parts.policy);
  drawGround(writer, request, width, height);
  const line = request.border?.width ?? 0;
  const inset = Math.min(padding.max, Math.max(padding.min, Math.min(width, height) * padding.part)) + line;
  const left = request.accent ? inset + accentWidth : inset;
  let box: Box = { x: left, y: inset, width: width - left - inset, height: height - 2 * inset };
  if (box.width <= 0 || box.height <= 0) throw tooSmall('its border leaves no room');
  const { template } = request;
  if (qr) box = placeQrCode(writer, qr, request, { width, height, inset, box });
  if (image) box = placeImage(writer, image, box, template, inset);
  if (template !== 'logo' && template !== 'qr') drawText(writer, parts, box);
  if (request.border) {
    const line = Math.min(request.border.width, width / 2, height / 2);
    writer.strokeInside(width, height, line, parseColour(request.border.colour));
  }
  return writer.finish();
}

function drawGround(
  writer: ContentWriter,
  { background, accent }: AppearanceRequest,
  width: number,
  height: number,
): void {
  if (background) {
    writer.setFill(parseColour(background));
    writer.rectangle(0, 0, width, height);
    writer.fillPath();
  }
  if (accent) {
    writer.setFill(parseColour(accent));
    writer.rectangle(0, 0, accentWidth, height);
    writer.fillPath();
  }
}

/** Draws the code at its edge, or in the middle when alone; answers what is left for the rest. */
function placeQrCode(
  writer: ContentWriter,
  code: QrCode,
  { template, background, border, accent }: AppearanceRequest,
  { width, height, inset, box }: { width: number; height: number; inset: number; box: Box },
): Box {
  // the quiet zone is the code's padding, but on a coloured ground its white is a card of its own
  const line = border?.width ?? 0;
  const edge = background && background.toLowerCase() !== '#ffffff' ? Math.max(line, inset * 0.75) : line;
  const alone = template === 'qr';
  const side = Math.min(height - 2 * edge, alone ? width - 2 * edge : width * qrShare);
  if (side / countModules(code) < smallestModule) {
    throw tooSmall(`the QR code needs ${Math.ceil(countModules(code) * smallestModule)} points a side`);
  }
  const y = (height - side) / 2;
  if (alone) {
    drawQrCode(writer, code, (width - side) / 2, y, side);
    return box;
  }
  const gap = edge > line ? inset : inset / 2;
  if (template === 'qr-left') {
    const x = edge + (accent ? accentWidth : 0);
    drawQrCode(writer, code, x, y, side);
    return { ...box, x: x + side + gap, width: width - inset - (x + side + gap) };
  }
  const x = width - edge - side;
  drawQrCode(writer, code, x, y, side);
  return { ...box, width: x - gap - box.x };
}

/** Draws the logo without changing its proportions; answers what is left for the text. */
function placeImage(writer: ContentWriter, image: SealImage, box: Box, template: string, gap: number): Box {
  const onTop = template === 'logo-top';
  const alone = template === 'logo';
  const most = {
    width: alone || onTop ? box.width : box.width * imageShare,
    height: onTop ? box.height * topShare : box.height,
  };
  const { orientation = 1 } = image;
  const shown = isTurned(orientation) ? { width: image.height, height: image.width } : image;
  const scale = Math.min(most.width / shown.width, most.height / shown.height);
  const width = shown.width * scale;
  const height = shown.height * scale;
  const centred = { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2 };
  if (alone) {
    writer.image(centred.x, centred.y, width, height, orientation);
    return box;
  }
  if (onTop) {
    writer.image(centred.x, box.y + box.height - height, width, height, orientation);
    return { ...box, height: box.height - height - gap / 2 };
  }
  if (template === 'logo-right') {
    writer.image(box.x + box.width - width, centred.y, width, height, orientation);
    return { ...box, width: box.width - width - gap };
  }
  writer.image(box.x, centred.y, width, height, orientation);
  return { ...box, x: box.x + width + gap, width: box.width - width - gap };
}

function drawText(writer: ContentWriter, { request, text, fonts }: SealParts, box: Box): void {
  if (box.width <= 0 || box.height <= 0) throw tooSmall('there is no room for the text');
  const block = fitText(text, box.width, box.height);
  const top = box.y + (box.height + block.height) / 2;
  writer.setFill(parseColour(request.colour));
  for (const { font, size, text: line, y } of block.lines) {
    if (line === '') continue;
    const run = text.stacks[font].shape(line);
    const free = box.width - (run.width * size) / 1000;
    let x = box.x + (request.align === 'left' ? 0 : request.align === 'center' ? free / 2 : free);
    for (const { face, run: part } of run.parts) {
      const set = fonts.get(face);
      if (set) writer.text(set, size, x, top - y, part);
      x += (part.width * size) / 1000;
    }
  }
}

function tooSmall(why: string): SigillumError {
  return new SigillumError('appearance_rectangle_small', `The rectangle of the seal is too small: ${why}.`);
}
