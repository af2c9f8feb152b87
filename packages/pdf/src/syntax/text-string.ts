import { PdfString } from '../objects/pdf-object.ts';

/** PDFDocEncoding where it differs from ISO 8859-1 (ISO 32000-2 table D.2); U+FFFD is undefined. */
const low = '\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc';
const high =
  '\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a\u2212\u2030\u201e\u201c\u201d\u2018' +
  '\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142\u0153\u0161\u017e\ufffd\u20ac';

/** The text of a text string (§7.9.2.2): UTF-16BE or UTF-8 by its mark, else PDFDocEncoding. Damage becomes U+FFFD. */
export function decodeTextString(string: PdfString): string {
  const { bytes } = string;
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    return new TextDecoder('utf-16be', { ignoreBOM: true }).decode(bytes.subarray(2));
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(3));
  }
  // by way of UTF-16 in one piece: text put together character by character takes many times its size
  const units = Uint16Array.from(bytes, toUnit);
  return new TextDecoder('utf-16le', { ignoreBOM: true }).decode(units);
}

function toUnit(byte: number): number {
  if (byte >= 0x18 && byte <= 0x1f) return low.charCodeAt(byte - 0x18);
  return byte >= 0x80 && byte <= 0xa0 ? high.charCodeAt(byte - 0x80) : byte;
}

/** A text string: PDFDocEncoding where it and ISO 8859-1 agree, UTF-16BE with its mark otherwise. */
export function encodeTextString(text: string): PdfString {
  if (/^[\t\n\r\x20-\x7e\xa1-\xac\xae-\xff]*$/.test(text)) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    // §7.9.2.2: þÿ and ï»¿ at the start would be taken for the marks
    if (!text.startsWith('\u00fe\u00ff') && !text.startsWith('\u00ef\u00bb\u00bf')) return new PdfString(bytes);
  }
  const bytes = new Uint8Array(2 + text.length * 2);
  bytes.set([0xfe, 0xff]);
  for (let i = 0; i < text.length; i++) {
    bytes[2 + i * 2] = text.charCodeAt(i) >> 8;
    bytes[3 + i * 2] = text.charCodeAt(i) & 0xff;
  }
  return new PdfString(bytes);
}
