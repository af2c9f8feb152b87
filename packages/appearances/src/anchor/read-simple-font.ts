import { isPdfArray, PdfDict, type PdfDocument, PdfName } from '@sigillum/pdf';
import { listEncoding, readGlyphName } from './character-encodings.ts';
import type { Budget } from './decode-content.ts';
import { findCharacterMap, findName, findNumber, findNumbers } from './font-values.ts';
import type { FontKnowledge, ShownCode, TextFont } from './text-font.ts';

/** A font of one-byte codes (ISO 32000-2 §9.6): Type 1, TrueType, Type 3. */
export function readSimpleFont(
  document: PdfDocument,
  dict: PdfDict,
  knowledge: FontKnowledge,
  budget: Budget,
): TextFont {
  const subtype = findName(document, dict, 'Subtype');
  const texts = readTexts(document, dict, subtype, knowledge);
  const toUnicode = findCharacterMap(document, dict, 'ToUnicode', budget);
  for (const [code, text] of toUnicode?.texts ?? []) if (code < 256 && text !== '') texts[code] = text;
  const widths = findNumbers(document, dict, 'Widths');
  const first = findNumber(document, dict, 'FirstChar') ?? 0;
  const descriptor = document.find(dict, 'FontDescriptor');
  const missing = descriptor instanceof PdfDict ? (findNumber(document, descriptor, 'MissingWidth') ?? 0) : 0;
  const base = findName(document, dict, 'BaseFont') ?? '';
  // §9.6.4: widths of Type 3 are in the font's own glyph space
  const matrix = subtype === 'Type3' ? findNumbers(document, dict, 'FontMatrix') : undefined;
  const scale = matrix?.[0] ?? 0.001;
  const codes = texts.map((text, code): ShownCode => {
    const width = widths ? (widths[code - first] ?? missing) : (knowledge.standardWidth(base, text) ?? missing);
    return { text, width: width * scale, isSpace: code === 32 };
  });
  const nothing: ShownCode = { text: '', width: 0, isSpace: false };
  return { decode: (bytes) => Array.from(bytes, (byte) => codes[byte] ?? nothing) };
}

/** §9.6.5: a base encoding, and what differs from it. */
function readTexts(
  document: PdfDocument,
  dict: PdfDict,
  subtype: string | undefined,
  knowledge: FontKnowledge,
): string[] {
  const byDefault = subtype === 'TrueType' ? 'WinAnsiEncoding' : 'StandardEncoding';
  const encoding = document.find(dict, 'Encoding');
  if (encoding instanceof PdfName) return listEncoding(encoding.value);
  if (!(encoding instanceof PdfDict)) return listEncoding(byDefault);
  const texts = listEncoding(findName(document, encoding, 'BaseEncoding') ?? byDefault);
  const differences = document.find(encoding, 'Differences');
  let code = 0;
  for (const item of isPdfArray(differences) ? differences : []) {
    const value = document.resolve(item);
    if (typeof value === 'number') code = value;
    else if (value instanceof PdfName && code >= 0 && code < 256)
      texts[code++] = readGlyphName(value.value, knowledge.glyphNames);
  }
  return texts;
}
