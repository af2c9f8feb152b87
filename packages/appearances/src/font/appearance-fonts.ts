import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { makeFontKnowledge } from '../anchor/make-font-knowledge.ts';
import type { FontKnowledge } from '../anchor/text-font.ts';
import type { SealImage } from '../image/seal-image.ts';
import { type Deflate, loadDeflate } from './deflate.ts';
import { AddedFace } from './added-face.ts';
import type { Face } from './face.ts';
import { FontFace } from './font-face.ts';
import { FontStack } from './font-stack.ts';
import { LeastRecentlyUsed } from './least-recently-used.ts';
import { type AddedFont, type ReadFont, readAddedFonts } from './read-added-font.ts';
import { TrueTypeFile } from './true-type-file.ts';

/** Decoded images kept: the logos in daily use; each is at most a few MiB. */
const keptImages = 8;

/** TrueType files: this package opens none itself. */
export type FontFiles = {
  readonly regular: Uint8Array;
  readonly bold: Uint8Array;
  /** Tried in this order for each character that the two above lack; those that are bold come first in a title. */
  readonly added?: readonly AddedFont[];
};

/** What the fonts are read into, once. */
export type LoadedFonts = {
  /** For the text, and for the title. */
  readonly regular: FontStack;
  readonly bold: FontStack;
  /** Each font once, in the order in which a seal names them. */
  readonly faces: readonly Face[];
  readonly own: FontFace;
  readonly deflate: Deflate;
};

/** Where the fonts lie that this package comes with (Noto Sans, SIL Open Font License): read them, and hand them in. */
export function locateFontFiles(): { readonly regular: URL; readonly bold: URL } {
  const require = createRequire(import.meta.url);
  return {
    regular: pathToFileURL(require.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf')),
    bold: pathToFileURL(require.resolve('@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf')),
  };
}

/**
 * The fonts of visible seals, and a bounded memory of what was made of them and of logos. Make one for a process and keep
 * it: another date or time in a known template then costs no new subset. What it remembers never changes what comes out.
 *
 * @example
 * const files = locateFontFiles();
 * const fonts = new AppearanceFonts({ regular: await readFile(files.regular), bold: await readFile(files.bold) });
 */
export class AppearanceFonts {
  readonly #files: FontFiles;
  readonly #outlines: { readonly regular: TrueTypeFile; readonly bold: TrueTypeFile };
  readonly #added: readonly ReadFont[];
  readonly images = new LeastRecentlyUsed<SealImage>(keptImages);
  #loaded: Promise<LoadedFonts> | undefined;
  #knowledge: Promise<FontKnowledge> | undefined;

  /** @throws SigillumError `config_invalid` when a file is not TrueType, damaged, too large or not to be embedded */
  constructor(files: FontFiles) {
    this.#files = files;
    this.#outlines = { regular: new TrueTypeFile(files.regular), bold: new TrueTypeFile(files.bold) };
    this.#added = readAddedFonts(files.added ?? []);
  }

  /** Reads the fonts with the first use; the libraries for it are loaded no earlier. */
  load(): Promise<LoadedFonts> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  /** What a search for an anchor needs to know about other fonts; made with the first one. */
  loadKnowledge(): Promise<FontKnowledge> {
    this.#knowledge ??= this.load().then(({ own }) => makeFontKnowledge(own));
    return this.#knowledge;
  }

  async #load(): Promise<LoadedFonts> {
    const [{ default: fontkit }, deflate] = await Promise.all([import('@pdf-lib/fontkit'), loadDeflate()]);
    const regular = new FontFace(this.#outlines.regular, fontkit.create(this.#files.regular), deflate);
    const bold = new FontFace(this.#outlines.bold, fontkit.create(this.#files.bold), deflate);
    const added = this.#added.map((font) => ({ isBold: font.isBold, face: new AddedFace(font, deflate) }));
    const pick = (isBold: boolean) => added.filter((one) => one.isBold === isBold).map(({ face }) => face);
    const [light, heavy] = [pick(false), pick(true)];
    return {
      regular: new FontStack([regular, ...light, ...heavy]),
      bold: new FontStack([bold, ...heavy, ...light]),
      faces: [regular, bold, ...added.map(({ face }) => face)],
      own: regular,
      deflate,
    };
  }
}
