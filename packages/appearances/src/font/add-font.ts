import {
  type IncrementalUpdate,
  PdfDict,
  PdfName,
  PdfNewStream,
  type PdfObject,
  type PdfRef,
  PdfString,
} from '@sigillum/pdf';
import type { Deflate } from './deflate.ts';
import type { FontSubset } from './font-subset.ts';

/** Symbolic (ISO 32000-2 table 121): the font's glyphs are named by no standard encoding. */
const symbolic = 4;
/** Mappings in one block of a CMap (Adobe Technical Note 5014). */
const mappingsPerBlock = 100;

/**
 * Embeds a subset as a composite font (ISO 32000-2 §9.7) with everything that PDF/A asks for: CIDToGIDMap, CIDSet
 * (ISO 19005-1 §6.3.5), widths as in the font, ToUnicode.
 */
export function addFont(update: IncrementalUpdate, subset: FontSubset, deflate: Deflate): PdfRef {
  const { metrics, widths } = subset;
  const name = new PdfName(subset.name);
  const descriptor = add(
    update,
    dict({
      Type: new PdfName('FontDescriptor'),
      FontName: name,
      Flags: symbolic,
      FontBBox: metrics.box.map(Math.round),
      ItalicAngle: Math.round(metrics.italicAngle),
      Ascent: metrics.ascent,
      Descent: metrics.descent,
      CapHeight: metrics.capHeight,
      StemV: subset.name.includes('Bold') ? 140 : 80,
      FontFile2: add(
        update,
        new PdfNewStream(dict({ Length1: subset.fileLength, Filter: new PdfName('FlateDecode') }), subset.file),
      ),
      CIDSet: add(update, new PdfNewStream(new PdfDict(), makeCidSet(widths.length))),
    }),
  );
  const descendant = add(
    update,
    dict({
      Type: new PdfName('Font'),
      Subtype: new PdfName('CIDFontType2'),
      BaseFont: name,
      CIDSystemInfo: dict({ Registry: ascii('Adobe'), Ordering: ascii('Identity'), Supplement: 0 }),
      FontDescriptor: descriptor,
      DW: 0,
      W: [0, [...widths]],
      CIDToGIDMap: new PdfName('Identity'),
    }),
  );
  const toUnicode = deflate(Buffer.from(encodeToUnicode(subset.texts), 'latin1'));
  return add(
    update,
    dict({
      Type: new PdfName('Font'),
      Subtype: new PdfName('Type0'),
      BaseFont: name,
      Encoding: new PdfName('Identity-H'),
      DescendantFonts: [descendant],
      ToUnicode: add(update, new PdfNewStream(dict({ Filter: new PdfName('FlateDecode') }), toUnicode)),
    }),
  );
}

/** One bit for each CID, the first one highest; all CIDs of the file are there. */
function makeCidSet(count: number): Uint8Array {
  const set = new Uint8Array(Math.ceil(count / 8)).fill(0xff);
  const rest = count % 8;
  if (rest > 0) set[set.length - 1] = (0xff << (8 - rest)) & 0xff;
  return set;
}

function encodeToUnicode(texts: ReadonlyMap<number, string>): string {
  const mappings = [...texts]
    .filter(([, text]) => text !== '')
    .sort(([a], [b]) => a - b)
    .map(
      ([cid, text]) =>
        `<${hex(cid)}> <${Array.from({ length: text.length }, (_, i) => hex(text.charCodeAt(i))).join('')}>`,
    );
  const blocks: string[] = [];
  for (let start = 0; start < mappings.length; start += mappingsPerBlock) {
    const block = mappings.slice(start, start + mappingsPerBlock);
    blocks.push(`${block.length} beginbfchar`, ...block, 'endbfchar');
  }
  return [
    '/CIDInit /ProcSet findresource begin',
    '12 dict begin',
    'begincmap',
    '/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def',
    '/CMapName /Adobe-Identity-UCS def',
    '/CMapType 2 def',
    '1 begincodespacerange',
    '<0000> <FFFF>',
    'endcodespacerange',
    ...blocks,
    'endcmap',
    'CMapName currentdict /CMap defineresource pop',
    'end',
    'end',
    '',
  ].join('\n');
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(4, '0');
}

function ascii(text: string): PdfString {
  return new PdfString(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

function dict(entries: Readonly<Record<string, PdfObject>>): PdfDict {
  return new PdfDict(Object.entries(entries));
}

function add(update: IncrementalUpdate, value: PdfObject): PdfRef {
  const ref = update.allocate();
  update.set(ref, value);
  return ref;
}
