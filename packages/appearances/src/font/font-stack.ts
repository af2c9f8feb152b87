import type { Face } from './face.ts';
import type { GlyphRun } from './glyph-run.ts';
import { LeastRecentlyUsed } from './least-recently-used.ts';
import { findObstacle } from './shown-characters.ts';

/** Pieces of text kept as they are set, of some KiB each: the lines and words of templates and names. */
const keptRuns = 2048;

/** A piece of text without a line break, in parts of one font each. */
export type TextRun = {
  readonly parts: readonly { readonly face: Face; readonly run: GlyphRun }[];
  readonly width: number;
};

/** Fonts that are tried in their order for each character; one with its combining marks counts as one. */
export class FontStack {
  readonly faces: readonly Face[];
  readonly #runs = new LeastRecentlyUsed<TextRun>(keptRuns);

  constructor(faces: readonly Face[]) {
    this.faces = faces;
  }

  /** The characters of a text that can't be shown, each once. */
  findUnsupported(text: string): readonly string[] {
    const found = new Set<string>();
    for (const [cluster] of text.matchAll(clusters)) {
      const characters = [...cluster];
      const refused = characters.filter((character) => findObstacle(character) !== undefined);
      if (refused.length === 0 && this.#choose(cluster) === undefined) {
        const missing = characters.filter((character) => this.#choose(character) === undefined);
        refused.push(...(missing.length > 0 ? missing : characters));
      }
      for (const character of refused) found.add(character);
    }
    return [...found];
  }

  /** Places the glyphs of a text; only after {@link findUnsupported}. */
  shape(text: string): TextRun {
    const known = this.#runs.find(text);
    if (known) return known;
    const parts = this.#split(text).map((part) => ({ face: part.face, run: part.face.shape(part.text) }));
    const set = { parts, width: parts.reduce((sum, { run }) => sum + run.width, 0) };
    this.#runs.set(text, set);
    return set;
  }

  #split(text: string): readonly { face: Face; text: string }[] {
    const parts: { face: Face; text: string }[] = [];
    for (const [cluster] of text.matchAll(clusters)) {
      const face = this.#choose(cluster);
      if (face === undefined) throw new Error('a text is set before its characters were looked for');
      const last = parts.at(-1);
      if (last?.face === face) last.text += cluster;
      else parts.push({ face, text: cluster });
    }
    return parts;
  }

  #choose(cluster: string): Face | undefined {
    return this.faces.find((face) => face.canShow(cluster));
  }
}

const clusters = /\P{M}\p{M}*|\p{M}+/gu;
