import { damaged } from './image-errors.ts';
import { listPasses, type Png } from './read-png.ts';

/** Pixels as samples of 8 bits, and their opacity where the image has any. */
export type Pixels = { readonly colours: 'grey' | 'rgb'; readonly samples: Uint8Array; readonly alpha?: Uint8Array };

/** Undoes filters and interlacing of a PNG (third edition, §9, §8), and brings every kind of pixel to 8 bits. */
export function decodePng(png: Png): Pixels {
  const { width, height, samples: perPixel } = png;
  const raw = new Uint16Array(width * height * perPixel);
  let at = 0;
  for (const pass of listPasses(width, height, png.interlaced)) {
    const length = Math.ceil((pass.width * perPixel * png.bits) / 8);
    const step = Math.max(1, (perPixel * png.bits) >> 3);
    let above: Uint8Array = new Uint8Array(length);
    for (let row = 0; row < pass.height; row++) {
      const line = png.rows.slice(at + 1, at + 1 + length);
      unfilter(png.rows[at] ?? 0, line, above, step);
      const to = (pass.y + row * pass.stepY) * width + pass.x;
      unpack(line, png.bits, pass.width, perPixel, raw, to, pass.stepX);
      above = line;
      at += 1 + length;
    }
  }
  return toPixels(png, raw);
}

function unfilter(filter: number, line: Uint8Array, above: Uint8Array, step: number): void {
  if (filter === 0) return;
  if (filter > 4) throw damaged('a row of the PNG has an unknown filter');
  for (let i = 0; i < line.length; i++) {
    const left = i < step ? 0 : (line[i - step] ?? 0);
    const up = above[i] ?? 0;
    const corner = i < step ? 0 : (above[i - step] ?? 0);
    const predicted =
      filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
    line[i] = (line[i] ?? 0) + predicted;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** Puts the samples of a row, still of their own depth, where its pixels belong. */
function unpack(
  line: Uint8Array,
  bits: number,
  pixels: number,
  perPixel: number,
  raw: Uint16Array,
  to: number,
  stepX: number,
): void {
  const mask = (1 << bits) - 1;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let sample = 0; sample < perPixel; sample++) {
      const index = pixel * perPixel + sample;
      let value: number;
      if (bits === 8) value = line[index] ?? 0;
      else if (bits === 16) value = ((line[index * 2] ?? 0) << 8) | (line[index * 2 + 1] ?? 0);
      else {
        const bit = index * bits;
        value = ((line[bit >> 3] ?? 0) >> (8 - bits - (bit & 7))) & mask;
      }
      raw[(to + pixel * stepX) * perPixel + sample] = value;
    }
  }
}

function toPixels(png: Png, raw: Uint16Array): Pixels {
  const { samples: perPixel, transparency } = png;
  const count = png.width * png.height;
  if (png.type === 'indexed') return fromPalette(png, raw);
  const grey = perPixel < 3;
  const colours = grey ? 1 : 3;
  const scale = 255 / (2 ** png.bits - 1);
  const samples = new Uint8Array(count * colours);
  const ownAlpha = perPixel === 2 || perPixel === 4;
  const alpha = ownAlpha || transparency !== undefined ? new Uint8Array(count).fill(255) : undefined;
  const hole = ownAlpha ? undefined : readHole(transparency, colours);
  for (let pixel = 0; pixel < count; pixel++) {
    let isHole = hole !== undefined;
    for (let sample = 0; sample < colours; sample++) {
      const value = raw[pixel * perPixel + sample] ?? 0;
      if (value !== hole?.[sample]) isHole = false;
      samples[pixel * colours + sample] = Math.round(value * scale);
    }
    if (!alpha) continue;
    if (ownAlpha) alpha[pixel] = Math.round((raw[pixel * perPixel + colours] ?? 0) * scale);
    else if (isHole) alpha[pixel] = 0;
  }
  return finish(grey ? 'grey' : 'rgb', samples, alpha);
}

function fromPalette({ palette, transparency }: Png, raw: Uint16Array): Pixels {
  const samples = new Uint8Array(raw.length * 3);
  const alpha = transparency ? new Uint8Array(raw.length) : undefined;
  for (const [pixel, index] of raw.entries()) {
    samples.set(palette.subarray(index * 3, index * 3 + 3), pixel * 3);
    if (alpha) alpha[pixel] = transparency?.[index] ?? 255;
  }
  return finish('rgb', samples, alpha);
}

/** §11.3.1.1: the one transparent colour, two bytes a sample. */
function readHole(transparency: Uint8Array | undefined, colours: number): readonly number[] | undefined {
  if (transparency === undefined) return undefined;
  if (transparency.length !== colours * 2) throw damaged('the transparency of the PNG is wrong');
  return Array.from({ length: colours }, (_, i) => ((transparency[i * 2] ?? 0) << 8) | (transparency[i * 2 + 1] ?? 0));
}

function finish(colours: 'grey' | 'rgb', samples: Uint8Array, alpha: Uint8Array | undefined): Pixels {
  const seeThrough = alpha?.some((value) => value < 255) === true;
  return { colours, samples, ...(alpha && seeThrough && { alpha }) };
}
