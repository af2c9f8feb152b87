import { anchorLimits as limits } from './anchor-limits.ts';

/** StandardEncoding (ISO 32000-2 table D.2) where it is not ASCII: from 0xA1 to 0xFB, U+FFFD where nothing is. */
const standardHigh =
  "¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ\ufffd–†‡·\ufffd¶•‚„”»…‰\ufffd¿\ufffd`´ˆ˜¯˘˙¨\ufffd˚¸\ufffd˝˛ˇ—" +
  '\ufffd'.repeat(16) +
  'Æ\ufffdª\ufffd\ufffd\ufffd\ufffdŁØŒº\ufffd\ufffd\ufffd\ufffd\ufffdæ\ufffd\ufffd\ufffdı\ufffd\ufffdłøœß';

/** The characters of the 256 codes of a base encoding (§9.6.5, annex D); empty where it has none. */
export function listEncoding(name: string): string[] {
  const codes = Uint8Array.from({ length: 256 }, (_, code) => code);
  switch (name) {
    case 'MacRomanEncoding':
      return [...new TextDecoder('macintosh').decode(codes)];
    case 'WinAnsiEncoding':
      return [...new TextDecoder('windows-1252').decode(codes)];
    default: {
      const characters = Array.from({ length: 256 }, (_, code) =>
        code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '',
      );
      characters[0x27] = '’';
      characters[0x60] = '‘';
      for (const [index, character] of [...standardHigh].entries()) {
        characters[0xa1 + index] = character === '\ufffd' ? '' : character;
      }
      return characters;
    }
  }
}

/** What a glyph's name stands for (Adobe Glyph List Specification); empty when nobody knows. */
export function readGlyphName(name: string, known: ReadonlyMap<string, string>): string {
  const [base = ''] = name.split('.');
  if (base === '') return '';
  return base
    .split('_')
    .map((part) => known.get(part) ?? readNumberedName(part))
    .join('')
    .slice(0, limits.codeText);
}

function readNumberedName(name: string): string {
  const uni = /^uni((?:[0-9A-F]{4})+)$/.exec(name)?.[1];
  if (uni) return (uni.match(/.{4}/g) ?? []).map((digits) => fromCode(Number.parseInt(digits, 16))).join('');
  const u = /^u([0-9A-F]{4,6})$/.exec(name)?.[1];
  if (u) return fromCode(Number.parseInt(u, 16));
  // Cyrillic capital and small letters of older fonts
  const afii = /^afii(10\d{3})$/.exec(name)?.[1];
  return afii ? readAfiiNumber(Number(afii)) : '';
}

function readAfiiNumber(number: number): string {
  if (number === 10023) return 'Ё';
  if (number === 10071) return 'ё';
  const [first, start] = number < 10_065 ? [10_017, 0x410] : [10_065, 0x430];
  const index = number - first - (number - first > 6 ? 1 : 0);
  return index >= 0 && index < 32 ? String.fromCharCode(start + index) : '';
}

function fromCode(code: number): string {
  return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '';
}
