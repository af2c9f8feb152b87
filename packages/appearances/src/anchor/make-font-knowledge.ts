import type { StandardFontEmbedder } from 'pdf-lib';
import type { FontFace } from '../font/font-face.ts';
import type { FontKnowledge } from './text-font.ts';

/** Names of the Adobe Glyph List that fonts of today no longer use. */
const olderNames: readonly (readonly [string, string])[] = [
  ['ff', 'ff'],
  ['fi', 'fi'],
  ['fl', 'fl'],
  ['ffi', 'ffi'],
  ['ffl', 'ffl'],
  ['nbspace', ' '],
  ['nonbreakingspace', ' '],
  ['sfthyphen', '-'],
  ['hyphen', '-'],
  ['Omega', 'Ω'],
  ['Delta', 'Δ'],
  ['mu', 'µ'],
];

/** The enumeration of pdf-lib's metrics, whose values are the names themselves. */
type FontName = Parameters<typeof StandardFontEmbedder.for>[0];
type StandardFont = { readonly width: (text: string) => number | undefined };

/** What is known about fonts that a document doesn't have inside: widths by pdf-lib's metrics, names by those of our own font. */
export async function makeFontKnowledge(face: FontFace): Promise<FontKnowledge> {
  const { StandardFontEmbedder } = await import('pdf-lib');
  const fonts = new Map<string, StandardFont>();
  const load = (name: string): StandardFont => {
    const known = fonts.get(name);
    if (known) return known;
    const { encoding, font } = StandardFontEmbedder.for(name as unknown as FontName);
    const made: StandardFont = {
      width: (text) => {
        const code = text.codePointAt(0);
        if (code === undefined || !encoding.canEncodeUnicodeCodePoint(code)) return undefined;
        return font.getWidthOfGlyph(encoding.encodeUnicodeCodePoint(code).name) ?? undefined;
      },
    };
    fonts.set(name, made);
    return made;
  };
  return {
    glyphNames: new Map([...face.listGlyphNames(), ...olderNames]),
    standardWidth: (font, text) => load(chooseStandardFont(font)).width(text),
  };
}

/** §9.6.2.2, and the names under which producers leave fonts out: the family decides, Helvetica stands for all others. */
function chooseStandardFont(name: string): string {
  const bold = /bold|black/i.test(name);
  const slanted = /italic|oblique/i.test(name);
  if (/courier|mono/i.test(name)) {
    return bold ? (slanted ? 'Courier-BoldOblique' : 'Courier-Bold') : slanted ? 'Courier-Oblique' : 'Courier';
  }
  if (/times|serif|roman|georgia/i.test(name) && !/sans/i.test(name)) {
    return bold ? (slanted ? 'Times-BoldItalic' : 'Times-Bold') : slanted ? 'Times-Italic' : 'Times-Roman';
  }
  return bold ? (slanted ? 'Helvetica-BoldOblique' : 'Helvetica-Bold') : slanted ? 'Helvetica-Oblique' : 'Helvetica';
}
