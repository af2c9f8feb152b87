import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';

/** What one reader shows of a file. */
export type Shown = {
  /** Digest of all pages drawn small and grey; undefined when it shows nothing. */
  readonly picture: string | undefined;
  /** All words, in order; none from Ghostscript, which mixes them with its complaints. */
  readonly words: readonly string[];
  /** The pages, for {@link looksAlike}. */
  readonly pages: readonly GreyPage[];
};

type GreyPage = { readonly width: number; readonly height: number; readonly pixels: Uint8Array };

export const engineNames = ['poppler', 'mupdf', 'ghostscript'] as const;
export type EngineName = (typeof engineNames)[number];

/** Small, but a word that is there is seen. */
const dotsPerInch = '24';
/** A reader that takes longer has lost its way; files here have a page or three. */
const limitMs = 10_000;
const limitBytes = 8 * 1024 * 1024;
/** The most that is looked at of a page tree that leads back to itself. */
const lastPage = '20';

const programs: Record<EngineName, readonly string[]> = {
  poppler: ['pdftoppm', 'pdftotext'],
  mupdf: ['mutool'],
  ghostscript: ['gs'],
};
const folders = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Programs that this machine lacks. */
export function listMissingEngines(): readonly string[] {
  return Object.values(programs)
    .flat()
    .filter((program) => !folders.some((folder) => isProgram(`${folder}/${program}`)));
}

/** What an engine shows of the file at a path. */
export async function show(engine: EngineName, path: string): Promise<Shown> {
  const [picture, text] = await Promise.all(commandsOf(engine, path).map(([program, args]) => run(program, args)));
  if (picture === undefined) throw new RangeError(`no picture by ${engine}`);
  const pages = readPages(picture);
  return {
    picture: pages.length === 0 ? undefined : createHash('sha256').update(picture).digest('hex'),
    words: text?.toString('utf8').match(/[^\s]+/g) ?? [],
    pages,
  };
}

/** What draws the pages, then what tells their words. */
function commandsOf(engine: EngineName, path: string): readonly (readonly [string, readonly string[]])[] {
  const pages = `1-${lastPage}`;
  switch (engine) {
    case 'poppler':
      return [
        ['pdftoppm', ['-r', dotsPerInch, '-gray', '-l', lastPage, path]],
        ['pdftotext', ['-l', lastPage, path, '-']],
      ];
    case 'mupdf':
      return [
        ['mutool', ['draw', '-q', '-r', dotsPerInch, '-c', 'gray', '-F', 'pgm', '-o', '-', path, pages]],
        ['mutool', ['draw', '-q', '-F', 'txt', '-o', '-', path, pages]],
      ];
    case 'ghostscript':
      return [['gs', [...ghostscriptOptions, `-r${dotsPerInch}`, `-dLastPage=${lastPage}`, path]]];
  }
}

/** Pictures to standard output, everything else away from it, edges smoothed, grey as the others make it, as on paper. */
const ghostscriptOptions = [
  '-q',
  '-dSAFER',
  '-dBATCH',
  '-dNOPAUSE',
  '-sstdout=%stderr',
  '-sOutputFile=-',
  '-sDEVICE=pgmraw',
  '-dTextAlphaBits=4',
  '-dGraphicsAlphaBits=4',
  '-dUseCropBox',
  '-dUseFastColor',
];

/** Whether two engines show the same, but for how they smooth edges: pages of one size, with ink in the same places. */
export function looksAlike(left: Shown | undefined, right: Shown | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (left.pages.length !== right.pages.length) return false;
  return left.pages.every((page, index) => {
    const other = right.pages[index];
    if (other === undefined || Math.abs(page.width - other.width) > 1 || Math.abs(page.height - other.height) > 1) {
      return false;
    }
    return isAlike(page, other);
  });
}

/** Points on a side of the squares that are compared: smoothing moves ink by a point. */
const squareSide = 6;
/** Mean shades of 256 apart that are another drawing: a word fills a third of its squares. */
const otherShade = 40;

function isAlike(page: GreyPage, other: GreyPage): boolean {
  for (let top = 0; top < page.height; top += squareSide) {
    for (let left = 0; left < page.width; left += squareSide) {
      if (Math.abs(shadeOf(page, left, top) - shadeOf(other, left, top)) > otherShade) return false;
    }
  }
  return true;
}

function shadeOf({ width, height, pixels }: GreyPage, left: number, top: number): number {
  let [sum, count] = [0, 0];
  for (let y = top; y < Math.min(height, top + squareSide); y++) {
    for (let x = left; x < Math.min(width, left + squareSide); x++) {
      sum += pixels[y * width + x] ?? 0;
      count++;
    }
  }
  return count === 0 ? 255 : sum / count;
}

/** Bytes of a greymap before its points: Ghostscript's begin with a comment. */
const headLength = 160;

/** Portable greymaps behind each other: `P5`, width, height, 255, and a byte for each point. */
function readPages(picture: Buffer): readonly GreyPage[] {
  const pages: GreyPage[] = [];
  let at = 0;
  while (at < picture.length) {
    const head = /^P5\s(?:#[^\n]*\n)?(\d+)\s(\d+)\s255\s/.exec(picture.toString('latin1', at, at + headLength));
    if (head === null) break;
    const [width, height] = [Number(head[1]), Number(head[2])];
    const start = at + head[0].length;
    at = start + width * height;
    pages.push({ width, height, pixels: picture.subarray(start, at) });
  }
  return pages;
}

/** What it prints, also when it complains or is ended. */
function run(program: string, args: readonly string[]): Promise<Buffer> {
  return new Promise((resolve) => {
    const options = { encoding: 'buffer', timeout: limitMs, maxBuffer: limitBytes } as const;
    execFile(program, [...args], options, (_, output) => resolve(output));
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
