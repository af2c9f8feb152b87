import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { AppearanceFonts, locateFontFiles } from '@sigillum/appearances';
import { type PrepareInput, prepareSignature, type SealAppearance } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';

/** A PDF of the given objects, numbered from 1; the first one is the catalog. */
export function makePdf(objects: readonly (string | Buffer)[], version = '1.7'): Uint8Array {
  let file = Buffer.from(`%PDF-${version}\n%\u00e2\u00e3\u00cf\u00d3\n`, 'latin1');
  const offsets: number[] = [];
  for (const [index, body] of objects.entries()) {
    offsets.push(file.length);
    const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
    file = Buffer.concat([file, Buffer.from(`${index + 1} 0 obj\n`), bytes, Buffer.from('\nendobj\n')]);
  }
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  const id = '00112233445566778899aabbccddeeff';
  const trailer = `trailer\n<< /Size ${size} /Root 1 0 R /ID [<${id}> <${id}>] >>\nstartxref\n${file.length}\n%%EOF\n`;
  return new Uint8Array(
    Buffer.concat([file, Buffer.from(`xref\n0 ${size}\n0000000000 65535 f \n${entries}${trailer}`, 'latin1')]),
  );
}

export function makeStream(content: string | Uint8Array, entries = ''): Buffer {
  const bytes = Buffer.from(content as string, 'latin1');
  return Buffer.concat([
    Buffer.from(`<< ${entries} /Length ${bytes.length} >>\nstream\n`),
    bytes,
    Buffer.from('\nendstream'),
  ]);
}

/** One page with the given entries, those of its parent, and content. */
export function makePagePdf(
  page: string,
  content = '',
  pages = '',
  more: readonly (string | Buffer)[] = [],
): Uint8Array {
  return makePdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [3 0 R] /Count 1 ${pages} >>`,
    `<< /Type /Page /Parent 2 0 R /Contents 4 0 R ${page} >>`,
    makeStream(content),
    ...more,
  ]);
}

export function openFonts(...paths: string[]): AppearanceFonts {
  const files = locateFontFiles();
  const added = paths.map((name) => ({ name, bytes: readFileSync(name) }));
  return new AppearanceFonts({ regular: readFileSync(files.regular), bold: readFileSync(files.bold), added });
}

/** The file with a visible field whose signature is still to come: enough for its picture. */
export function prepare(input: Uint8Array, appearance: SealAppearance, fieldName?: string): Uint8Array {
  const prefixHash: PrepareInput['prefixHash'] = {
    algorithm: 'sha256',
    finish: (parts) =>
      createHash('sha256')
        .update(Buffer.concat([input, ...parts]))
        .digest(),
  };
  const options = {
    signingTime: new Date('2026-11-22T05:00:00Z'),
    contentsSize: 1024,
    appearance,
    ...(fieldName !== undefined && { fieldName }),
  };
  const { increment } = prepareSignature(
    { source: createArraySource(input), prefixHash },
    options,
    (length) => new Uint8Array(length),
  );
  return new Uint8Array(Buffer.concat([input, increment]));
}

/** Red, green and blue of the pixels of a picture, row by row from the top. */
export type Picture = { readonly width: number; readonly height: number; readonly pixels: Uint8Array };
export type Renderer = 'pdftoppm' | 'mutool';

/** Those that are installed here. */
export function findRenderers(): Renderer[] {
  return (['pdftoppm', 'mutool'] as const).filter((name) => spawnSync(name, ['-v']).error === undefined);
}

/** A page as a reader shows it, by an outside renderer. */
export function render(renderer: Renderer, pdf: Uint8Array, options: { dpi?: number; page?: number } = {}): Picture {
  const folder = mkdtempSync(join(tmpdir(), 'seal-picture-'));
  const { dpi = 144, page = 1 } = options;
  try {
    writeFileSync(join(folder, 'in.pdf'), pdf);
    const input = join(folder, 'in.pdf');
    if (renderer === 'mutool') {
      execFileSync(
        'mutool',
        ['draw', '-q', '-r', `${dpi}`, '-c', 'rgb', '-o', join(folder, 'out.ppm'), input, `${page}`],
        { stdio: 'pipe' },
      );
    } else {
      const from = ['-f', `${page}`, '-l', `${page}`, '-singlefile'];
      execFileSync('pdftoppm', ['-r', `${dpi}`, '-cropbox', ...from, input, join(folder, 'out')], { stdio: 'pipe' });
    }
    return parsePpm(readFileSync(join(folder, 'out.ppm')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function parsePpm(file: Buffer): Picture {
  const header = /^P6\s+(?:#.*\s+)*(\d+)\s+(\d+)\s+255\s/.exec(file.subarray(0, 200).toString('latin1'));
  if (!header) throw new Error('not a picture');
  const [all, width = '', height = ''] = header;
  return { width: Number(width), height: Number(height), pixels: new Uint8Array(file.subarray(all.length)) };
}

type Test = (red: number, green: number, blue: number) => boolean;

/** The smallest box around all pixels of a colour, in points from the lower left corner of a page of the given width. */
export function findColour(
  picture: Picture,
  pageWidth: number,
  test: Test,
): readonly [number, number, number, number] | undefined {
  let [left, bottom, right, top] = [picture.width, picture.height, -1, -1];
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const at = (y * picture.width + x) * 3;
      if (!test(picture.pixels[at] ?? 0, picture.pixels[at + 1] ?? 0, picture.pixels[at + 2] ?? 0)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      bottom = Math.min(bottom, picture.height - 1 - y);
      top = Math.max(top, picture.height - y);
    }
  }
  const scale = pageWidth / picture.width;
  return right < 0 ? undefined : [left * scale, bottom * scale, right * scale, top * scale];
}

/** A PNG of the given kind; rows without filters, chunks with checksums. */
export function makePng(
  width: number,
  height: number,
  kind: {
    type: 0 | 2 | 3 | 4 | 6;
    bits?: number;
    interlace?: 0 | 1;
    palette?: number[];
    transparency?: number[];
    lie?: [number, number];
  },
  rows: Uint8Array,
): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(kind.lie?.[0] ?? width, 0);
  header.writeUInt32BE(kind.lie?.[1] ?? height, 4);
  header.set([kind.bits ?? 8, kind.type, 0, 0, kind.interlace ?? 0], 8);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      makeChunk('IHDR', header),
      ...(kind.palette ? [makeChunk('PLTE', Buffer.from(kind.palette))] : []),
      ...(kind.transparency ? [makeChunk('tRNS', Buffer.from(kind.transparency))] : []),
      makeChunk('IDAT', deflateSync(rows)),
      makeChunk('IEND', Buffer.alloc(0)),
    ]),
  );
}

function makeChunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name), content]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(content.length, 0);
  chunk.set(body, 4);
  chunk.writeUInt32BE(crc(body), body.length + 4);
  return chunk;
}

/** PNG annex D, bit by bit. */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) === 1 ? 0xedb88320 : 0);
  }
  return (value ^ 0xffffffff) >>> 0;
}
