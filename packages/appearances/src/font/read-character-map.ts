import { toView } from './true-type-file.ts';

/** Encodings of Unicode with their platforms, the fullest first (OpenType specification, `cmap`). */
const unicode = ['3/10', '0/6', '0/4', '3/1', '0/3', '0/2', '0/1', '0/0'];

/**
 * The glyph of each character, by a table of format 12 or 4; empty when there is none for Unicode.
 * @param glyphs how many the font has: numbers beyond are not glyphs
 * @throws RangeError when the table ends early
 */
export function readCharacterMap(cmap: Uint8Array, glyphs: number): ReadonlyMap<number, number> {
  const view = toView(cmap);
  const found = new Map<string, number>();
  for (let index = 0; index < view.getUint16(2); index++) {
    const entry = 4 + index * 8;
    found.set(`${view.getUint16(entry)}/${view.getUint16(entry + 2)}`, view.getUint32(entry + 4));
  }
  for (const encoding of unicode) {
    const offset = found.get(encoding);
    if (offset === undefined) continue;
    const format = view.getUint16(offset);
    if (format !== 4 && format !== 12) continue;
    const map = new Map<number, number>();
    const add = (point: number, glyph: number) => {
      if (glyph > 0 && glyph < glyphs && point <= 0x10ffff) map.set(point, glyph);
    };
    if (format === 4) readSegments(view, offset, add);
    else readGroups(view, offset, glyphs, add);
    return map;
  }
  return new Map();
}

type Add = (point: number, glyph: number) => void;

/** Format 4: ranges of the basic plane, by a difference or by a list. */
function readSegments(view: DataView, offset: number, add: Add): void {
  const doubled = view.getUint16(offset + 6);
  const [ends, starts] = [offset + 14, offset + 16 + doubled];
  const [deltas, ranges] = [starts + doubled, starts + 2 * doubled];
  let next = 0;
  for (let at = 0; at < doubled; at += 2) {
    const end = view.getUint16(ends + at);
    const start = view.getUint16(starts + at);
    const delta = view.getUint16(deltas + at);
    const range = view.getUint16(ranges + at);
    // each character once, so that a font can't cost more than it has of them
    for (let point = Math.max(start, next); point <= end && point < 0xffff; point++) {
      const listed = range === 0 ? point : view.getUint16(ranges + at + range + (point - start) * 2);
      add(point, range !== 0 && listed === 0 ? 0 : (listed + delta) & 0xffff);
    }
    next = Math.max(next, end + 1);
  }
}

/** Format 12: groups of any plane. */
function readGroups(view: DataView, offset: number, glyphs: number, add: Add): void {
  let next = 0;
  for (let group = 0; group < view.getUint32(offset + 12); group++) {
    const entry = offset + 16 + group * 12;
    const start = view.getUint32(entry);
    const end = Math.min(view.getUint32(entry + 4), start + glyphs, 0x10ffff);
    const first = view.getUint32(entry + 8);
    for (let point = Math.max(start, next); point <= end; point++) add(point, first + point - start);
    next = Math.max(next, end + 1);
  }
}
