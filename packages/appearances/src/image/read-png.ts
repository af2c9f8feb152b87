import { crc32, inflateSync } from 'node:zlib';
import { assertImageSize, damaged, unsupported } from './image-errors.ts';

/** Kinds of pixels (PNG, third edition, §11.2.1) and how many samples each has. */
const samplesOf = new Map<number, number>([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);
const depthsOf = new Map<number, readonly number[]>([
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
]);
/** First column and row of each pass of Adam7, and the steps between its pixels (§8.2). */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export type Png = {
  readonly width: number;
  readonly height: number;
  readonly type: 'grey' | 'rgb' | 'indexed' | 'grey-alpha' | 'rgb-alpha';
  readonly bits: number;
  readonly samples: number;
  readonly interlaced: boolean;
  readonly palette: Uint8Array;
  /** The content of tRNS: opacities of the palette, or the one colour that is transparent. */
  readonly transparency: Uint8Array | undefined;
  /** The zlib stream as it stands in the file. */
  readonly packed: Uint8Array;
  /** What it decodes to: exactly the rows, each begun by its filter. */
  readonly rows: Uint8Array;
};

type Chunks = { header: Uint8Array; palette: Uint8Array; transparency: Uint8Array | undefined; packed: Uint8Array };

/** Takes a PNG apart. Sizes are checked before anything is decoded, and decoding can't give more than these say. */
export function readPng(file: Uint8Array): Png {
  const { header, palette, transparency, packed } = readChunks(file);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  const [bits = 0, kind = 0, compression, filter, interlace = 0] = header.subarray(8);
  assertImageSize(width, height);
  const samples = samplesOf.get(kind);
  if (samples === undefined || depthsOf.get(kind)?.includes(bits) !== true) throw damaged('PNG has no such pixels');
  if (compression !== 0 || filter !== 0 || interlace > 1) throw unsupported('it is a PNG of an unknown method');
  if (kind === 3 && (palette.length === 0 || palette.length % 3 !== 0 || palette.length > 3 << bits)) {
    throw damaged('the palette of the PNG is missing or wrong');
  }
  const interlaced = interlace === 1;
  const size = listPasses(width, height, interlaced).reduce(
    (sum, pass) => sum + pass.height * (1 + Math.ceil((pass.width * samples * bits) / 8)),
    0,
  );
  return {
    width,
    height,
    type: (['grey', undefined, 'rgb', 'indexed', 'grey-alpha', undefined, 'rgb-alpha'] as const)[kind] ?? 'grey',
    bits,
    samples,
    interlaced,
    palette,
    transparency,
    packed,
    rows: inflateExactly(packed, size),
  };
}

/** The reduced images of a PNG that have pixels; a single one when it isn't interlaced. */
export function listPasses(width: number, height: number, interlaced: boolean) {
  if (!interlaced) return [{ x: 0, y: 0, stepX: 1, stepY: 1, width, height }];
  return passes
    .map(([x, y, stepX, stepY]) => {
      const across = Math.max(0, Math.ceil((width - x) / stepX));
      const down = Math.max(0, Math.ceil((height - y) / stepY));
      return { x, y, stepX, stepY, width: across, height: across === 0 ? 0 : down };
    })
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

function readChunks(file: Uint8Array): Chunks {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let header: Uint8Array | undefined;
  let palette: Uint8Array = new Uint8Array();
  let transparency: Uint8Array | undefined;
  const data: Uint8Array[] = [];
  for (let at = 8; ; ) {
    if (at + 12 > file.length) throw damaged('the PNG ends too early');
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > file.length) throw damaged('the PNG ends too early');
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const content = file.subarray(at + 8, at + 8 + length);
    if (crc32(file.subarray(at + 4, at + 8 + length)) !== view.getUint32(end - 4)) {
      throw damaged('a checksum of the PNG is wrong');
    }
    if ((header === undefined) !== (name === 'IHDR')) throw damaged('the PNG does not begin with its one header');
    if (name === 'IHDR') {
      if (length !== 13) throw damaged('the header of the PNG is wrong');
      header = content;
    } else if (name === 'PLTE') palette = content;
    else if (name === 'tRNS') transparency = content;
    else if (name === 'IDAT') data.push(content);
    else if (name === 'IEND') break;
    // an upper-case first letter says that nobody may ignore the chunk
    else if (/^[A-Z]/.test(name)) throw unsupported(`the PNG needs what stands in its part ${name}`);
    at = end;
  }
  if (header === undefined || data.length === 0) throw damaged('the PNG has no pixels');
  return { header, palette, transparency, packed: new Uint8Array(Buffer.concat(data)) };
}

function inflateExactly(packed: Uint8Array, size: number): Uint8Array {
  let rows: Uint8Array;
  try {
    rows = inflateSync(packed, { maxOutputLength: size });
  } catch {
    throw damaged('the pixels of the PNG can not be decompressed, or are more than it says');
  }
  if (rows.length !== size) throw damaged('the PNG has fewer pixels than it says');
  return rows;
}
