import { isPdfArray, PdfDict, type PdfDocument, PdfName, PdfStream } from '@sigillum/pdf';
import { listEncoding, readGlyphName } from './character-encodings.ts';
import { type Budget, decodeContent } from './decode-content.ts';
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
  const descriptor = document.find(dict, 'FontDescriptor');
  const builtIn =
    descriptor instanceof PdfDict ? readBuiltInEncoding(document, descriptor, knowledge, budget) : undefined;
  const texts = readTexts(
    document,
    dict,
    knowledge,
    builtIn ?? (subtype === 'TrueType' ? 'WinAnsiEncoding' : 'StandardEncoding'),
  );
  const toUnicode = findCharacterMap(document, dict, 'ToUnicode', budget);
  for (const [code, text] of toUnicode?.texts ?? []) if (code < 256 && text !== '') texts[code] = text;
  const widths = findNumbers(document, dict, 'Widths');
  const first = findNumber(document, dict, 'FirstChar') ?? 0;
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
  const entries = codes.length + (widths?.length ?? 0) + (toUnicode?.texts.size ?? 0);
  return { entries, decode: (bytes) => Array.from(bytes, (byte) => codes[byte] ?? nothing) };
}

/** §9.6.5: a base encoding, by name or the font's own, and what differs from it. */
function readTexts(
  document: PdfDocument,
  dict: PdfDict,
  knowledge: FontKnowledge,
  byDefault: string | readonly string[],
): string[] {
  const list = (base: string | readonly string[]): string[] =>
    typeof base === 'string' ? listEncoding(base) : [...base];
  const encoding = document.find(dict, 'Encoding');
  if (encoding instanceof PdfName) return listEncoding(encoding.value);
  if (!(encoding instanceof PdfDict)) return list(byDefault);
  const texts = list(findName(document, encoding, 'BaseEncoding') ?? byDefault);
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

/** The encoding in the clear text of a Type 1 font program (Adobe Type 1 Font Format §2.3): `dup 12 /fi put`. */
function readBuiltInEncoding(
  document: PdfDocument,
  descriptor: PdfDict,
  knowledge: FontKnowledge,
  budget: Budget,
): string[] | undefined {
  const program = document.find(descriptor, 'FontFile');
  if (!(program instanceof PdfStream)) return undefined;
  const bytes = Buffer.from(decodeContent(document, program, budget));
  const clear = bytes.subarray(0, Math.max(0, bytes.indexOf('eexec'))).toString('latin1');
  const texts: string[] = [];
  for (const [, code = '', name = ''] of clear.matchAll(/\bdup\s+(\d{1,3})\s*\/([^\s/]{1,64})\s+put\b/g)) {
    if (Number(code) < 256) texts[Number(code)] = readGlyphName(name, knowledge.glyphNames);
  }
  return texts.length === 0 ? undefined : Array.from({ length: 256 }, (_, code) => texts[code] ?? '');
}
