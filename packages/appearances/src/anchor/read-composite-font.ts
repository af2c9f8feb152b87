import { isPdfArray, PdfDict, type PdfDocument, PdfName } from '@sigillum/pdf';
import { anchorLimits } from './anchor-limits.ts';
import type { CharacterMap } from './character-map.ts';
import type { Budget } from './decode-content.ts';
import { findCharacterMap, findNumber, toNumber } from './font-values.ts';
import type { ShownCode, TextFont } from './text-font.ts';

type Space = CharacterMap['spaces'][number];
const twoBytes: readonly Space[] = [{ length: 2, low: 0, high: 0xffff }];

/** A composite font (ISO 32000-2 §9.7): its codes by Identity or a CMap of its own, widths by CID, text by ToUnicode. */
export function readCompositeFont(document: PdfDocument, dict: PdfDict, budget: Budget): TextFont {
  const encoding = document.find(dict, 'Encoding');
  const name = encoding instanceof PdfName ? encoding.value : '';
  const own = findCharacterMap(document, dict, 'Encoding', budget);
  const toUnicode = findCharacterMap(document, dict, 'ToUnicode', budget);
  // the other predefined CMaps are tables of their own (§9.7.5.2): two bytes and ToUnicode is what they mostly come with
  const spaces = own && own.spaces.length > 0 ? own.spaces : twoBytes;
  const isUnicode = /UCS2|UTF16/.test(name);
  const descendants = document.find(dict, 'DescendantFonts');
  const descendant = isPdfArray(descendants) ? document.resolve(descendants[0] ?? null) : null;
  const { widths, byDefault } = readWidths(document, descendant instanceof PdfDict ? descendant : undefined);
  const toShown = (code: number, length: number): ShownCode => {
    const cid = own ? (own.cids.get(code) ?? (own.cids.size === 0 ? code : 0)) : code;
    const text = toUnicode?.texts.get(code) ?? (isUnicode ? String.fromCharCode(code) : '');
    return { text, width: (widths.get(cid) ?? byDefault) / 1000, isSpace: length === 1 && code === 32 };
  };
  return {
    entries: widths.size + (toUnicode?.texts.size ?? 0) + (own?.cids.size ?? 0),
    decode: (bytes) => {
      const shown: ShownCode[] = [];
      for (let at = 0; at < bytes.length; ) {
        const { code, length } = readCode(bytes, at, spaces);
        shown.push(toShown(code, length));
        at += length;
      }
      return shown;
    },
  };
}

/** The shortest code that lies in a range of its length; else as many bytes as the shortest range has. */
function readCode(bytes: Uint8Array, at: number, spaces: readonly Space[]): { code: number; length: number } {
  let code = 0;
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    code = code * 256 + (bytes[at + length - 1] ?? 0);
    const value = code;
    if (spaces.some((space) => space.length === length && value >= space.low && value <= space.high))
      return { code, length };
  }
  const length = Math.min(...spaces.map((space) => space.length));
  return { code: bytes.subarray(at, at + length).reduce((sum, byte) => sum * 256 + byte, 0), length };
}

/** §9.7.4.3: `c [w1 w2 …]` and `first last w`. */
function readWidths(
  document: PdfDocument,
  dict: PdfDict | undefined,
): { widths: ReadonlyMap<number, number>; byDefault: number } {
  const widths = new Map<number, number>();
  if (!dict) return { widths, byDefault: 1000 };
  const list = document.find(dict, 'W');
  const values = isPdfArray(list) ? list.map((value) => document.resolve(value)) : [];
  for (let at = 0; at + 1 < values.length; ) {
    const first = toNumber(values[at]) ?? 0;
    const second = values[at + 1];
    if (isPdfArray(second)) {
      for (const [index, width] of second.entries()) {
        if (widths.size < anchorLimits.mappings) widths.set(first + index, toNumber(document.resolve(width)) ?? 0);
      }
      at += 2;
      continue;
    }
    const last = toNumber(second) ?? first;
    const width = toNumber(values[at + 2]) ?? 0;
    for (let cid = first; cid <= last && widths.size < anchorLimits.mappings; cid++) widths.set(cid, width);
    at += 3;
  }
  return { widths, byDefault: findNumber(document, dict, 'DW') ?? 1000 };
}
