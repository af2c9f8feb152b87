import { listComponents } from './list-components.ts';
import { toView, type TrueTypeFile } from './true-type-file.ts';

/** Tables that a TrueType font in a PDF keeps as they are (ISO 32000-2 §9.9.1). */
const copiedTables = ['cvt ', 'fpgm', 'prep'];
export type TrueTypeSubset = {
  readonly file: Uint8Array;
  /** The glyphs of the file by their numbers in the whole font, .notdef first. */
  readonly glyphs: readonly number[];
};

/**
 * A TrueType file with some glyphs of another one, renumbered from 1 in the order given; the parts of composed glyphs
 * follow. Written here because fontkit's subsets lose glyphs: it writes short offsets for outlines of odd lengths.
 */
export function subsetTrueType(font: TrueTypeFile, wanted: readonly number[]): TrueTypeSubset {
  const glyphs = [0, ...wanted.filter((id) => id !== 0)];
  const numbers = new Map(glyphs.map((id, index) => [id, index]));
  const numberOf = (id: number): number => {
    const known = numbers.get(id);
    if (known !== undefined) return known;
    numbers.set(id, glyphs.length);
    return glyphs.push(id) - 1;
  };
  const outlines: Uint8Array[] = [];
  for (let index = 0; index < glyphs.length; index++) {
    outlines.push(renumberComponents(font.getGlyph(glyphs[index] ?? 0), numberOf));
  }
  const count = glyphs.length;
  const head = font.getTable('head').slice();
  toView(head).setUint32(8, 0); // checkSumAdjustment, set at the end
  toView(head).setUint16(50, 1); // indexToLocFormat: long
  const hhea = font.getTable('hhea').slice();
  toView(hhea).setUint16(34, count); // numberOfHMetrics
  const maxp = font.getTable('maxp').slice();
  toView(maxp).setUint16(4, count);
  const hmtx = new Uint8Array(count * 4);
  for (const [index, id] of glyphs.entries()) {
    const { width, bearing } = font.getMetrics(id);
    toView(hmtx).setUint16(index * 4, width);
    toView(hmtx).setInt16(index * 4 + 2, bearing);
  }
  const { glyf, loca } = joinOutlines(outlines);
  const tables = new Map<string, Uint8Array>([
    ['glyf', glyf],
    ['head', head],
    ['hhea', hhea],
    ['hmtx', hmtx],
    ['loca', loca],
    ['maxp', maxp],
  ]);
  for (const name of copiedTables) {
    const table = font.findTable(name);
    if (table) tables.set(name, table);
  }
  return { file: encodeFile(tables), glyphs };
}

/** A composed glyph names its parts by their numbers. */
function renumberComponents(outline: Uint8Array, numberOf: (id: number) => number): Uint8Array {
  const places = listComponents(outline);
  if (places.length === 0) return outline;
  const changed = outline.slice();
  const view = toView(changed);
  for (const at of places) view.setUint16(at, numberOf(view.getUint16(at)));
  return changed;
}

function joinOutlines(outlines: readonly Uint8Array[]): { glyf: Uint8Array; loca: Uint8Array } {
  const loca = new Uint8Array((outlines.length + 1) * 4);
  let length = 0;
  for (const [index, outline] of outlines.entries()) {
    toView(loca).setUint32(index * 4, length);
    length += pad(outline.length);
  }
  toView(loca).setUint32(outlines.length * 4, length);
  const glyf = new Uint8Array(length);
  for (const [index, outline] of outlines.entries()) glyf.set(outline, toView(loca).getUint32(index * 4));
  return { glyf, loca };
}

/** The directory of tables, sorted by name, and the tables on boundaries of four bytes. */
function encodeFile(tables: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const sorted = [...tables].sort(([a], [b]) => (a < b ? -1 : 1));
  const start = 12 + sorted.length * 16;
  const file = new Uint8Array(sorted.reduce((end, [, table]) => end + pad(table.length), start));
  const view = toView(file);
  const log = Math.floor(Math.log2(sorted.length));
  view.setUint32(0, 0x00010000);
  view.setUint16(4, sorted.length);
  view.setUint16(6, 2 ** log * 16);
  view.setUint16(8, log);
  view.setUint16(10, (sorted.length - 2 ** log) * 16);
  let offset = start;
  let headOffset = 0;
  for (const [index, [name, table]] of sorted.entries()) {
    const entry = 12 + index * 16;
    file.set(Buffer.from(name, 'latin1'), entry);
    file.set(table, offset);
    if (name === 'head') headOffset = offset;
    view.setUint32(entry + 4, sum(file.subarray(offset, offset + pad(table.length))));
    view.setUint32(entry + 8, offset);
    view.setUint32(entry + 12, table.length);
    offset += pad(table.length);
  }
  view.setUint32(headOffset + 8, (0xb1b0afba - sum(file)) >>> 0);
  return file;
}

function sum(bytes: Uint8Array): number {
  const view = toView(bytes);
  let total = 0;
  for (let at = 0; at < bytes.length; at += 4) total = (total + view.getUint32(at)) >>> 0;
  return total;
}

function pad(length: number): number {
  return (length + 3) & ~3;
}
