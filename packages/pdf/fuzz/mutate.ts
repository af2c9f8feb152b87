import { layOutFile, takeApart } from './rebuild-file.ts';
import type { SeededRandom } from './random.ts';

/** Longest input that a mutation may make: bounds what one run costs. */
const longestInput = 64 * 1024;

const numbers = [
  '0',
  '1',
  '-1',
  '2',
  '7',
  '9',
  '255',
  '65535',
  '65536',
  '8388607',
  '8388608',
  '2147483647',
  '-2147483648',
];
const hugeNumbers = ['4294967296', '9007199254740993', '99999999999999999999', '1.5', '--1', '1e9', '.'];
const words: readonly string[] = [
  'obj',
  'endobj',
  'stream',
  'endstream',
  'xref',
  'trailer',
  'startxref',
  '%%EOF',
  'null',
  'true',
  'R',
  'n',
  'f',
  '<<',
  '>>',
  '[',
  ']',
  '(',
  ')',
  '<',
  '>',
  '/',
  '%',
  '{',
  '\\',
  '<<>>',
  '[]',
  '()',
  '<>',
  '\r',
  '\n',
  '\0',
  ' ',
  '1 0 R',
  '2 0 R',
  '3 0 R',
  '9 0 R',
  '0 0 R',
  '1 65535 R',
  '<</A 1 0 R>>',
  '[1 0 R]',
  '[[[[[[[[',
  '<</A<</A<</A',
  '/Type',
  '/Pages',
  '/Kids',
  '/Count',
  '/Parent',
  '/Root',
  '/Size',
  '/Prev',
  '/XRefStm',
  '/Encrypt',
  '/ID',
  '/Info',
  '/Filter',
  '/DecodeParms',
  '/FlateDecode',
  '/LZWDecode',
  '/ASCII85Decode',
  '/ASCIIHexDecode',
  '/RunLengthDecode',
  '/Crypt',
  '/Predictor 12',
  '/Predictor 2',
  '/Columns 3',
  '/Colors',
  '/EarlyChange 0',
  '/W [1 2 1]',
  '/Index [0 9]',
  '/N 3',
  '/First',
  '/ObjStm',
  '/XRef',
  '/Length',
  '/AcroForm',
  '/Fields',
  '/FT /Sig',
  '/T',
  '/V',
  '/ByteRange',
  '/MediaBox',
  '/CropBox',
  '/Rotate',
  '/Standard',
  '/StdCF',
  '/Identity',
  '/AESV2',
  '/V 4',
  '/R 4',
  '/P -4',
  '/O',
  '/U',
];

/** One to five changes: of bytes, of tokens, or of whole objects in a file whose table is made right again afterwards. */
export function mutate(input: Uint8Array, pool: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  let text = Buffer.from(input).toString('latin1');
  if (random.once(2)) {
    const parts = takeApart(text);
    if (parts.objects.length > 0) {
      for (let changes = 1 + random.below(3); changes > 0; changes--) {
        const at = random.below(parts.objects.length);
        const body = parts.objects[at]?.body ?? '';
        const changed = random.once(6) ? random.pick(parts.objects).body : changeText(body, pool, random);
        parts.objects[at] = { number: random.once(8) ? random.below(12) : at + 1, body: changed };
      }
      if (random.once(3)) parts.trailer = changeText(parts.trailer, pool, random);
      return toBytes(layOutFile(parts, random));
    }
  }
  for (let changes = 1 + random.below(5); changes > 0; changes--) text = changeText(text, pool, random);
  return toBytes(text);
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.slice(0, longestInput), 'latin1'));
}

function changeText(text: string, pool: readonly Uint8Array[], random: SeededRandom): string {
  const at = random.below(text.length + 1);
  const cut = (length: number, put = ''): string => text.slice(0, at) + put + text.slice(at + length);
  switch (random.below(9)) {
    case 0:
      return cut(1, String.fromCharCode(random.below(256)));
    case 1:
      return cut(1, String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))));
    case 2:
      return cut(random.below(random.once(8) ? text.length : 16));
    case 3:
      return cut(0, random.pick(words));
    case 4:
      return cut(random.below(8), ` ${random.pick(words)} `);
    case 5:
      return replaceNumber(text, at, random);
    case 6: {
      const from = random.below(text.length + 1);
      return cut(0, text.slice(from, from + random.below(64)).repeat(1 + random.below(random.once(10) ? 500 : 3)));
    }
    case 7: {
      const other = Buffer.from(random.pick(pool)).toString('latin1');
      const from = random.below(other.length + 1);
      return cut(random.below(32), other.slice(from, from + random.below(256)));
    }
    default:
      return swapTokens(text, at, random);
  }
}

function replaceNumber(text: string, at: number, random: SeededRandom): string {
  const found = /\d+/.exec(text.slice(at));
  if (found === null) return text;
  const start = at + found.index;
  const value = Number(found[0]);
  const near = String(value + random.below(5) - 2);
  const put = random.once(3) ? near : random.pick(random.once(4) ? hugeNumbers : numbers);
  return text.slice(0, start) + put + text.slice(start + found[0].length);
}

/** A token is put where another one is; lengths stay when both are as long. */
function swapTokens(text: string, at: number, random: SeededRandom): string {
  const one = /[^\s<>[\]()/]+/.exec(text.slice(at));
  const from = random.below(text.length + 1);
  const other = /[^\s<>[\]()/]+/.exec(text.slice(from));
  if (one === null || other === null) return text;
  const start = at + one.index;
  return text.slice(0, start) + other[0].slice(0, 64) + text.slice(start + one[0].length);
}
