import { createHash } from 'node:crypto';
import type { Deflate } from './deflate.ts';
import type { FontSubset } from './font-subset.ts';
import { LeastRecentlyUsed } from './least-recently-used.ts';
import { subsetTrueType } from './subset-true-type.ts';
import type { TrueTypeFile } from './true-type-file.ts';

/** Subsets kept, of some 10 KiB each: one for each template and signer in daily use. */
const keptSubsets = 64;

/** What a subset takes over from its font. */
export type SubsetSource = {
  /** PostScript name. */
  readonly name: string;
  /** What tells the font from every other one: the subset's tag is made of it. */
  readonly identity: string;
  readonly file: TrueTypeFile;
  readonly metrics: FontSubset['metrics'];
};

/** Makes subsets of one font, and remembers them within bounds. */
export class SubsetMaker {
  readonly #source: SubsetSource;
  readonly #deflate: Deflate;
  readonly #subsets = new LeastRecentlyUsed<FontSubset>(keptSubsets);

  constructor(source: SubsetSource, deflate: Deflate) {
    this.#source = source;
    this.#deflate = deflate;
  }

  /** As `Face.subset`. */
  make(glyphs: ReadonlyMap<number, string>): FontSubset {
    const list = [...glyphs].sort(([a], [b]) => a - b);
    const key = JSON.stringify(list);
    const known = this.#subsets.find(key);
    if (known) return known;
    const { name, identity, file: whole, metrics } = this.#source;
    const { file, glyphs: numbers } = subsetTrueType(
      whole,
      list.map(([id]) => id),
    );
    const scale = 1000 / whole.unitsPerEm;
    const subset = {
      name: `${makeTag(`${identity} ${key}`)}+${name}`,
      metrics,
      file: this.#deflate(file),
      fileLength: file.length,
      cids: new Map(numbers.map((id, cid) => [id, cid])),
      texts: new Map(list.map(([, text], index) => [index + 1, text])),
      widths: numbers.map((id) => Math.round(whole.getMetrics(id).width * scale)),
    };
    this.#subsets.set(key, subset);
    return subset;
  }
}

/** Six capital letters that tell subsets apart (ISO 32000-2 §9.9.2). */
function makeTag(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  return Array.from(digest.subarray(0, 6), (byte) => String.fromCharCode(0x41 + (byte % 26))).join('');
}
