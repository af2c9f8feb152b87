import { SigillumError } from '@sigillum/errors';

/** The tables of a TrueType file, and its glyphs (OpenType specification, `glyf`, `loca`, `hmtx`). */
export class TrueTypeFile {
  readonly #tables = new Map<string, Uint8Array>();
  readonly #loca: DataView;
  readonly #hmtx: DataView;
  readonly #longOffsets: boolean;
  readonly #metrics: number;

  /** @throws SigillumError `config_invalid` for anything but TrueType outlines */
  constructor(given: Uint8Array) {
    // a Buffer's slices would share its memory
    const file = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
    const view = toView(file);
    if (file.length < 12 || view.getUint32(0) !== 0x00010000) throw notTrueType();
    for (let table = 0; table < view.getUint16(4); table++) {
      const entry = 12 + table * 16;
      if (entry + 16 > file.length) throw notTrueType();
      const offset = view.getUint32(entry + 8);
      const name = String.fromCharCode(...file.subarray(entry, entry + 4));
      this.#tables.set(name, file.subarray(offset, offset + view.getUint32(entry + 12)));
    }
    this.#loca = toView(this.getTable('loca'));
    this.#hmtx = toView(this.getTable('hmtx'));
    this.#longOffsets = toView(this.getTable('head')).getUint16(50) === 1;
    this.#metrics = toView(this.getTable('hhea')).getUint16(34);
    this.getTable('glyf');
    this.getTable('maxp');
  }

  findTable(name: string): Uint8Array | undefined {
    return this.#tables.get(name);
  }

  getTable(name: string): Uint8Array {
    const table = this.#tables.get(name);
    if (table === undefined) throw notTrueType();
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
}

export function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function notTrueType(): SigillumError {
  return new SigillumError('config_invalid', 'The font of visible seals is not a TrueType file.');
}
