import { createHash } from 'node:crypto';
import type { ColourPolicy, Rgb } from '../colour/colour-policy.ts';
import type { Deflate } from '../font/deflate.ts';
import type { LeastRecentlyUsed } from '../font/least-recently-used.ts';
import { decodePng, type Pixels } from './decode-png.ts';
import { assertImageBytes, unsupported } from './image-errors.ts';
import { readJpeg } from './read-jpeg.ts';
import { readPng } from './read-png.ts';
import type { SealImage } from './seal-image.ts';

/**
 * An image file as a PDF can show it.
 *
 * @param ground what shows through where the document allows no transparency
 * @throws SigillumError `appearance_image_damaged`, `appearance_image_unsupported`, `appearance_image_too_large`
 */
export function readImage(
  given: Uint8Array,
  policy: ColourPolicy,
  ground: Rgb,
  deflate: Deflate,
  known: LeastRecentlyUsed<SealImage>,
): SealImage {
  // a Buffer's slices would share its memory
  const file = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  assertImageBytes(file.length);
  const key = `${createHash('sha256').update(file).digest('hex')} ${policy.transparency ? 'alpha' : ground.join(' ')}`;
  const found = known.find(key);
  const image = found ?? decode(file, policy, ground, deflate);
  if (image.colours === 'cmyk' && !policy.cmyk) {
    throw unsupported('it is a CMYK image, and the document is PDF/A with another output intent; use an RGB image');
  }
  known.set(key, image);
  return image;
}

function decode(file: Uint8Array, policy: ColourPolicy, ground: Rgb, deflate: Deflate): SealImage {
  if (startsWith(file, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
    return readPngImage(file, policy, ground, deflate);
  if (startsWith(file, [0xff, 0xd8, 0xff])) return readJpeg(file);
  throw unsupported('it is neither PNG nor JPEG');
}

function readPngImage(file: Uint8Array, policy: ColourPolicy, ground: Rgb, deflate: Deflate): SealImage {
  const png = readPng(file);
  const { width, height, bits, type } = png;
  const pixels = decodePng(png);
  const plain = type === 'grey' || type === 'rgb' || type === 'indexed';
  // PDF/A-1 knows no 16 bits a sample
  if (plain && !png.interlaced && !pixels.alpha && bits <= 8) {
    const palette = type === 'indexed' ? { palette: png.palette } : {};
    return { width, height, colours: type, bits, filter: 'FlateDecode', data: png.packed, predicted: true, ...palette };
  }
  const shown = policy.transparency ? pixels : flatten(pixels, ground);
  return {
    width,
    height,
    colours: shown.colours,
    bits: 8,
    filter: 'FlateDecode',
    data: deflate(shown.samples),
    ...(shown.alpha && { alpha: deflate(shown.alpha) }),
  };
}

/** Puts the pixels onto a ground of one colour. */
function flatten({ colours, samples, alpha }: Pixels, ground: Rgb): Pixels {
  if (!alpha) return { colours, samples };
  const flat = new Uint8Array(alpha.length * 3);
  for (const [pixel, opacity] of alpha.entries()) {
    for (let i = 0; i < 3; i++) {
      const sample = colours === 'grey' ? samples[pixel] : samples[pixel * 3 + i];
      flat[pixel * 3 + i] = Math.round(((sample ?? 0) * opacity + (ground[i] ?? 255) * (255 - opacity)) / 255);
    }
  }
  return { colours: 'rgb', samples: flat };
}

function startsWith(file: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => file[index] === byte);
}
