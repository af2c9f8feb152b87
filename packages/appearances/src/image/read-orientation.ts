/** How a picture has to be turned to be shown (Exif 2.32 §4.6.4, tag 274): by its first row and its first column. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const orientationTag = 274;
/** Type SHORT of TIFF 6.0 §2. */
const short = 3;
/** Entries of the first directory that are looked at: cameras write a dozen. */
const maxEntries = 256;
const start = Buffer.from('Exif\0\0', 'latin1');

/**
 * The orientation that a camera notes in an APP1 segment of a JPEG.
 *
 * @param data of the segment, without marker and length
 * @returns undefined when it notes none, or not in the way that Exif has
 */
export function readOrientation(data: Uint8Array): Orientation | undefined {
  if (!start.every((byte, index) => data[index] === byte)) return undefined;
  const tiff = new DataView(data.buffer, data.byteOffset + start.length, data.length - start.length);
  if (tiff.byteLength < 8) return undefined;
  const order = tiff.getUint16(0);
  const isLittle = order === 0x4949;
  if ((!isLittle && order !== 0x4d4d) || tiff.getUint16(2, isLittle) !== 42) return undefined;
  const directory = tiff.getUint32(4, isLittle);
  if (directory + 2 > tiff.byteLength) return undefined;
  const count = Math.min(tiff.getUint16(directory, isLittle), maxEntries);
  for (let index = 0; index < count; index++) {
    const at = directory + 2 + index * 12;
    if (at + 12 > tiff.byteLength) return undefined;
    if (tiff.getUint16(at, isLittle) !== orientationTag) continue;
    const value = tiff.getUint16(at + 8, isLittle);
    const isOne = tiff.getUint16(at + 2, isLittle) === short && tiff.getUint32(at + 4, isLittle) === 1;
    return isOne && isOrientation(value) ? value : undefined;
  }
  return undefined;
}

function isOrientation(value: number): value is Orientation {
  return value >= 1 && value <= 8;
}

/** Whether the picture is shown as wide as it is high in the file. */
export function isTurned(orientation: Orientation): boolean {
  return orientation >= 5;
}
