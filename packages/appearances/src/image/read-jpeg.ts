import { assertImageSize, damaged, unsupported } from './image-errors.ts';
import { type Orientation, readOrientation } from './read-orientation.ts';
import type { SealImage } from './seal-image.ts';

/** Markers of ITU-T T.81 table B.1. */
const startOfImage = 0xd8;
const endOfImage = 0xd9;
const startOfScan = 0xda;
const adobe = 0xee;
/** Where cameras put their data. */
const app1 = 0xe1;
/** Frames that DCTDecode knows: baseline, extended sequential, progressive. */
const frames = [0xc0, 0xc1, 0xc2];
/** Other ways of coding: lossless, hierarchical, arithmetic. */
const otherFrames = [0xc3, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

/**
 * A JPEG file goes into the PDF as it is but for what its viewers don't need: remarks, camera data and previews, which may
 * say more than the sealer knows, and whatever follows the end. Its pixels aren't decoded here. How the camera was held is
 * kept apart, since the picture is to be shown so.
 */
export function readJpeg(file: Uint8Array): SealImage {
  const kept: Uint8Array[] = [file.subarray(0, 2)];
  let frame: { width: number; height: number; components: number } | undefined;
  let orientation: Orientation | undefined;
  let hasAdobe = false;
  let scanned = false;
  for (let at = 2; ; ) {
    while (file[at] === 0xff && file[at + 1] === 0xff) at++;
    const marker = file[at + 1];
    if (file[at] !== 0xff || marker === undefined) throw damaged('the JPEG ends too early');
    if (marker === endOfImage) break;
    const length = ((file[at + 2] ?? 0) << 8) | (file[at + 3] ?? 0);
    if (marker === startOfImage || length < 2 || at + 2 + length > file.length)
      throw damaged('a part of the JPEG is wrong');
    const segment = file.subarray(at, at + 2 + length);
    if (otherFrames.includes(marker)) throw unsupported('PDF viewers do not know this kind of JPEG');
    if (frames.includes(marker)) {
      if (frame) throw damaged('the JPEG has two frames');
      frame = readFrame(segment);
    }
    hasAdobe ||= marker === adobe && String.fromCharCode(...segment.subarray(4, 9)) === 'Adobe';
    if (marker === app1) orientation ??= readOrientation(segment.subarray(4));
    const isRemark = marker === 0xfe || (marker > 0xe0 && marker <= 0xef && marker !== adobe);
    if (!isRemark) kept.push(segment);
    at += 2 + length;
    if (marker !== startOfScan) continue;
    scanned = true;
    const end = findMarker(file, at);
    kept.push(file.subarray(at, end));
    at = end;
  }
  if (!frame || !scanned) throw damaged('the JPEG has no pixels');
  kept.push(Uint8Array.of(0xff, endOfImage));
  const { width, height, components } = frame;
  const inverted = components === 4 && hasAdobe;
  return {
    width,
    height,
    colours: components === 1 ? 'grey' : components === 3 ? 'rgb' : 'cmyk',
    bits: 8,
    filter: 'DCTDecode',
    data: new Uint8Array(Buffer.concat(kept)),
    ...(inverted && { inverted }),
    ...(orientation !== undefined && { orientation }),
  };
}

function readFrame(segment: Uint8Array): { width: number; height: number; components: number } {
  const [precision, heightHigh = 0, heightLow = 0, widthHigh = 0, widthLow = 0, components = 0] = segment.subarray(4);
  if (precision !== 8) throw unsupported('it is a JPEG of more than 8 bits a sample');
  if (components !== 1 && components !== 3 && components !== 4)
    throw unsupported(`it is a JPEG of ${components} colours`);
  if (segment.length < 10 + components * 3) throw damaged('the frame of the JPEG is wrong');
  const width = (widthHigh << 8) | widthLow;
  const height = (heightHigh << 8) | heightLow;
  assertImageSize(width, height);
  return { width, height, components };
}

/** The end of a scan's data: the first marker that isn't a restart; `FF 00` is a byte of the data. */
function findMarker(file: Uint8Array, from: number): number {
  for (let at = file.indexOf(0xff, from); at >= 0; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  throw damaged('the JPEG ends too early');
}
