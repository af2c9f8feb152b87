import { createHash } from 'node:crypto';
import { SigillumError } from '@sigillum/errors';
import { fontLimits as limits } from './font-limits.ts';
import { listComponents } from './list-components.ts';
import { readCharacterMap } from './read-character-map.ts';
import type { SubsetSource } from './subset-maker.ts';
import { toView, TrueTypeFile } from './true-type-file.ts';

/** A font beside those that this package comes with. */
export type AddedFont = {
  /** What errors call it: its path. */
  readonly name: string;
  readonly bytes: Uint8Array;
};

/** What is known of it after it was checked as a whole. */
export type ReadFont = SubsetSource & {
  readonly isBold: boolean;
  /** Character → glyph. */
  readonly characters: ReadonlyMap<number, number>;
};

/**
 * Reads fonts and checks everything that setting text and making subsets will look at, so that a damaged one is found at
 * the start and not while a document is sealed.
 *
 * @throws SigillumError `config_invalid` with a sentence that names the file
 */
export function readAddedFonts(fonts: readonly AddedFont[]): readonly ReadFont[] {
  const total = fonts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (fonts.length > limits.files || total > limits.totalBytes) {
    const most = `${limits.files} files of ${limits.totalBytes / 1024 ** 2} MiB altogether`;
    throw new SigillumError('config_invalid', `The fonts added to visible seals are more than ${most}.`);
  }
  return fonts.map(readFont);
}

function readFont({ name, bytes }: AddedFont): ReadFont {
  if (bytes.length > limits.bytes) throw refuse(name, `has more than ${limits.bytes / 1024 ** 2} MiB`);
  const file = new TrueTypeFile(bytes, `The font ${name}`);
  assertEmbeddable(file, name);
  let read: ReadFont;
  try {
    if (!file.isWhole()) throw new RangeError('loca or hmtx');
    assertComponents(file);
    read = readTables(file, createHash('sha256').update(bytes).digest('hex'));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw refuse(name, 'is damaged: its tables point outside of it', cause);
  }
  if (read.characters.size === 0) throw refuse(name, 'has no map of Unicode characters (cmap of format 4 or 12)');
  return read;
}

/** OpenType specification, OS/2 fsType: what the licence says about embedding a part of the font. */
function assertEmbeddable(file: TrueTypeFile, name: string): void {
  const os2 = file.findTable('OS/2');
  const type = os2 && os2.length >= 10 ? toView(os2).getUint16(8) : 0;
  // of several permissions the widest counts
  if ((type & 0x000e) === 0x0002) throw refuse(name, 'must not be embedded, by its licence (fsType: restricted)');
  if ((type & 0x0100) !== 0) throw refuse(name, 'must not be embedded in part, by its licence (fsType: no subsetting)');
  if ((type & 0x0200) !== 0) throw refuse(name, 'must not be embedded with its outlines (fsType: bitmaps only)');
}

/** The parts of composed glyphs are glyphs, and no glyph is part of itself. */
function assertComponents(file: TrueTypeFile): void {
  const depths = new Map<number, number>();
  const measure = (id: number, above: number): number => {
    if (id >= file.glyphs || above > limits.componentDepth) throw new RangeError('components');
    const known = depths.get(id);
    if (known !== undefined) return known;
    const outline = file.getGlyph(id);
    let depth = 0;
    for (const at of listComponents(outline)) {
      depth = Math.max(depth, 1 + measure(toView(outline).getUint16(at), above + 1));
    }
    depths.set(id, depth);
    return depth;
  };
  for (let id = 0; id < file.glyphs; id++) measure(id, 0);
}

function readTables(file: TrueTypeFile, digest: string): ReadFont {
  const scale = 1000 / file.unitsPerEm;
  const head = toView(file.getTable('head'));
  const hhea = toView(file.getTable('hhea'));
  const os2Table = file.findTable('OS/2');
  const os2 = os2Table && os2Table.length >= 64 ? toView(os2Table) : undefined;
  const post = file.findTable('post');
  const toThousandths = (value: number) => Math.round(value * scale);
  const ascent = toThousandths(hhea.getInt16(4));
  const hasCapHeight = os2 !== undefined && os2.getUint16(0) >= 2 && os2.byteLength >= 90;
  const name = readPostScriptName(file.findTable('name'));
  return {
    name,
    // a file that differs in anything gives other names to its subsets
    identity: `${name} ${digest}`,
    file,
    isBold: os2 ? (os2.getUint16(62) & 0x20) !== 0 : (head.getUint16(44) & 1) !== 0,
    characters: readCharacterMap(file.getTable('cmap'), file.glyphs),
    metrics: {
      ascent,
      descent: toThousandths(hhea.getInt16(6)),
      capHeight: hasCapHeight ? toThousandths(os2.getInt16(88)) : ascent,
      italicAngle: post && post.length >= 8 ? toView(post).getInt32(4) / 65536 : 0,
      box: [36, 38, 40, 42].map((at) => toThousandths(head.getInt16(at))),
    },
  };
}

/** Name 6 (OpenType specification, `name`), with what a PDF name needn't write in escapes. */
function readPostScriptName(table: Uint8Array | undefined): string {
  if (table === undefined) return 'Font';
  const view = toView(table);
  const strings = view.getUint16(4);
  for (let index = 0; index < view.getUint16(2); index++) {
    const record = 6 + index * 12;
    if (view.getUint16(record + 6) !== 6) continue;
    const start = strings + view.getUint16(record + 10);
    const bytes = table.subarray(start, start + view.getUint16(record + 8));
    // two bytes a character or one; these names are ASCII
    const name = String.fromCharCode(...bytes).replaceAll(/[^A-Za-z0-9-]/g, '');
    if (name !== '') return name.slice(0, 63);
  }
  return 'Font';
}

function refuse(name: string, why: string, cause?: unknown): SigillumError {
  return new SigillumError('config_invalid', `The font ${name} ${why}.`, cause === undefined ? {} : { cause });
}
