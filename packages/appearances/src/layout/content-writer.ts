import type { ColourPolicy, Rgb } from '../colour/colour-policy.ts';
import type { GlyphRun } from '../font/glyph-run.ts';
import type { Orientation } from '../image/read-orientation.ts';
import type { SealFont } from './seal-font.ts';

/** Names of the resources that a seal's content refers to. */
export const resourceNames = { image: 'Im0', grey: 'Cg', rgb: 'Cr' } as const;

/** Writes a content stream (ISO 32000-2 §7.8.2), always the same for the same calls. */
export class ContentWriter {
  readonly #policy: ColourPolicy;
  readonly #lines: string[] = [];

  constructor(policy: ColourPolicy) {
    this.#policy = policy;
  }

  /** Fills what follows with a colour. */
  setFill(colour: Rgb): void {
    this.#lines.push(this.#colour(colour, 'g', 'rg', 'cs', 'sc'));
  }

  rectangle(x: number, y: number, width: number, height: number): void {
    this.#lines.push(`${format(x, y, width, height)} re`);
  }

  fillPath(): void {
    this.#lines.push('f');
  }

  /** A border that lies inside the given rectangle. */
  strokeInside(width: number, height: number, line: number, colour: Rgb): void {
    this.#lines.push(
      this.#colour(colour, 'G', 'RG', 'CS', 'SC'),
      `${format(line)} w`,
      `${format(line / 2, line / 2, width - line, height - line)} re`,
      'S',
    );
  }

  /** Width and height are those of the picture as it is shown. */
  image(x: number, y: number, width: number, height: number, orientation: Orientation = 1): void {
    const [right, top] = [x + width, y + height];
    const matrices: Record<Orientation, readonly number[]> = {
      1: [width, 0, 0, height, x, y],
      2: [-width, 0, 0, height, right, y],
      3: [-width, 0, 0, -height, right, top],
      4: [width, 0, 0, -height, x, top],
      5: [0, -height, -width, 0, right, top],
      6: [0, -height, width, 0, x, top],
      7: [0, height, width, 0, x, y],
      8: [0, height, -width, 0, right, y],
    };
    this.#lines.push('q', `${format(...matrices[orientation])} cm`, `/${resourceNames.image} Do`, 'Q');
  }

  /** A run of glyphs from a point of its base line on. */
  text({ resource, subset: { cids } }: SealFont, size: number, x: number, y: number, run: GlyphRun): void {
    this.#lines.push('BT', `/${resource} ${format(size)} Tf`, `1 0 0 1 ${format(x, y)} Tm`);
    let rise = 0;
    let pending = 0;
    let array = '';
    let codes = '';
    const flushCodes = () => {
      if (codes !== '') array += `<${codes}>`;
      codes = '';
    };
    const flush = () => {
      flushCodes();
      if (array !== '') this.#lines.push(`[${array}] TJ`);
      array = '';
    };
    for (const glyph of run.glyphs) {
      if (glyph.y !== rise) {
        flush();
        rise = glyph.y;
        this.#lines.push(`${format((rise * size) / 1000)} Ts`);
      }
      const shift = pending + glyph.x;
      if (shift !== 0) {
        flushCodes();
        array += format(-shift);
      }
      codes += findCid(cids, glyph.id).toString(16).toUpperCase().padStart(4, '0');
      pending = glyph.advance - glyph.width - glyph.x;
    }
    flush();
    if (rise !== 0) this.#lines.push('0 Ts');
    this.#lines.push('ET');
  }

  /** Everything inside q and Q. */
  finish(): string {
    return ['q', ...this.#lines, 'Q', ''].join('\n');
  }

  #colour([r, g, b]: Rgb, grey: string, rgb: string, space: string, set: string): string {
    const parts = [r, g, b].map((part) => part / 255);
    // black text stays black ink where the output intent is that of a press
    if (r === g && g === b) {
      const level = format(parts[0] ?? 0);
      return this.#policy.grey === 'DeviceGray'
        ? `${level} ${grey}`
        : `/${resourceNames.grey} ${space} ${level} ${set}`;
    }
    const levels = format(...parts);
    return this.#policy.rgb === 'DeviceRGB' ? `${levels} ${rgb}` : `/${resourceNames.rgb} ${space} ${levels} ${set}`;
  }
}

function findCid(cids: ReadonlyMap<number, number>, glyph: number): number {
  const cid = cids.get(glyph);
  if (cid === undefined) throw new Error('a glyph is drawn that its subset lacks');
  return cid;
}

/** Numbers with at most three decimals, and none in the notation of exponents. */
export function format(...numbers: readonly number[]): string {
  return numbers.map((number) => String(Math.round(number * 1000) / 1000 + 0)).join(' ');
}
