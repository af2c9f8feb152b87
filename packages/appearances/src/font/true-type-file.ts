import { SigillumError } from '@sigillum/errors';

/** First four bytes of files with TrueType outlines, of those with outlines of PostScript, and of collections. */
const trueType = [0x00010000, 0x74727565];
const postScript = 0x4f54544f;
const collection = 0x74746366;

/** The tables of a TrueType file, and its glyphs (OpenType specification, `glyf`, `loca`, `hmtx`). */
export class TrueTypeFile {
  readonly unitsPerEm: number;
  /** How many glyphs it says to have. */
  readonly glyphs: number;
  readonly #name: string;
  readonly #tables = new Map<string, Uint8Array>();
  readonly #loca: DataView;
  readonly #hmtx: DataView;
  readonly #longOffsets: boolean;
  readonly #metrics: number;

  /**
   * Of a collection, the first font.
   * @param name what errors call it
   * @throws SigillumError `config_invalid` for anything but TrueType outlines
   */
  constructor(given: Uint8Array, name = 'The font of visible seals') {
    this.#name = name;
    // a Buffer's slices would share its memory
    const file = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
    const view = toView(file);
    if (file.length < 16) throw this.#refuse('is not a TrueType file');
    const start = view.getUint32(0) === collection ? view.getUint32(12) : 0;
    if (start + 12 > file.length) throw this.#refuse('is damaged: it ends within its directory');
    const kind = view.getUint32(start);
    if (kind === postScript) {
      throw this.#refuse('has outlines of PostScript (CFF); convert it, or take the edition with TrueType outlines');
    }
    if (!trueType.includes(kind)) throw this.#refuse('is not a TrueType file');
    for (let table = 0; table < view.getUint16(start + 4); table++) {
      const entry = start + 12 + table * 16;
      if (entry + 16 > file.length) throw this.#refuse('is damaged: it ends within its directory');
      const offset = view.getUint32(entry + 8);
      const length = view.getUint32(entry + 12);
      const tag = String.fromCharCode(...file.subarray(entry, entry + 4));
      if (offset + length > file.length) throw this.#refuse(`is damaged: it ends before its table ${tag.trim()}`);
      this.#tables.set(tag, file.subarray(offset, offset + length));
    }
    if (!this.#tables.has('glyf')) throw this.#refuse('has no TrueType outlines (no glyf table)');
    this.#loca = toView(this.getTable('loca'));
    this.#hmtx = toView(this.getTable('hmtx'));
    const head = toView(this.getTable('head', 54));
    this.#longOffsets = head.getUint16(50) === 1;
    this.unitsPerEm = head.getUint16(18);
    this.#metrics = toView(this.getTable('hhea', 36)).getUint16(34);
    this.glyphs = toView(this.getTable('maxp', 6)).getUint16(4);
    // the bounds of the OpenType specification
    if (this.unitsPerEm < 16 || this.unitsPerEm > 16384) throw this.#refuse('is damaged: its em has no size');
  }

  findTable(name: string): Uint8Array | undefined {
    return this.#tables.get(name);
  }

  /** @throws SigillumError `config_invalid` when it is missing or shorter than `least` bytes */
  getTable(name: string, least = 0): Uint8Array {
    const table = this.#tables.get(name);
    if (table === undefined) throw this.#refuse(`is damaged or not a TrueType file: it has no table ${name.trim()}`);
    if (table.length < least) throw this.#refuse(`is damaged: its table ${name.trim()} is too short`);
    return table;
  }

  /** The outline of a glyph as it stands in `glyf`; nothing for a space. */
  getGlyph(id: number): Uint8Array {
    const [start, end] = this.#longOffsets
      ? [this.#loca.getUint32(id * 4), this.#loca.getUint32(id * 4 + 4)]
      : [this.#loca.getUint16(id * 2) * 2, this.#loca.getUint16(id * 2 + 2) * 2];
    return this.getTable('glyf').subarray(start, end);
  }

  /** Advance width and left side bearing. */
  getMetrics(id: number): { readonly width: number; readonly bearing: number } {
    const last = this.#metrics - 1;
    if (id <= last) return { width: this.#hmtx.getUint16(id * 4), bearing: this.#hmtx.getInt16(id * 4 + 2) };
    return {
      width: this.#hmtx.getUint16(last * 4),
      bearing: this.#hmtx.getInt16(this.#metrics * 4 + (id - this.#metrics) * 2),
    };
  }

  /** Whether tables of that size can have the outlines and widths of all glyphs, each where `loca` says. */
  isWhole(): boolean {
    const size = this.#longOffsets ? 4 : 2;
    const most = this.getTable('glyf').length;
    const metrics = this.#metrics * 4 + Math.max(0, this.glyphs - this.#metrics) * 2;
    if (this.glyphs === 0 || this.#metrics === 0) return false;
    if (this.#loca.byteLength < (this.glyphs + 1) * size || this.#hmtx.byteLength < metrics) return false;
    let last = 0;
    for (let at = 0; at <= this.glyphs; at++) {
      const offset = this.#longOffsets ? this.#loca.getUint32(at * 4) : this.#loca.getUint16(at * 2) * 2;
      if (offset < last || offset > most) return false;
      last = offset;
    }
    return true;
  }

  #refuse(why: string): SigillumError {
    return new SigillumError('config_invalid', `${this.#name} ${why}.`);
  }
}

export function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
