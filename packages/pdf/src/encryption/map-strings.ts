import { isPdfArray, PdfDict, type PdfObject, PdfStream, PdfString } from '../objects/pdf-object.ts';

/**
 * A value with every string in it changed, but for the `/Contents` of signatures: these are never encrypted (ISO 32000-2
 * §7.6.2), and `/ByteRange` tells what a signature is. The parser and the encoder bound the nesting.
 */
export function mapStrings(value: PdfObject, change: (bytes: Uint8Array) => Uint8Array): PdfObject {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof PdfString) return new PdfString(change(value.bytes), value.hex);
  if (isPdfArray(value)) return value.map((entry) => mapStrings(entry, change));
  if (value instanceof PdfStream) {
    const dict = mapStrings(value.dict, change);
    return dict instanceof PdfDict ? new PdfStream(dict, value.dataOffset, value.ref) : value;
  }
  if (!(value instanceof PdfDict)) return value;
  const isSignature = value.has('ByteRange');
  const entries: [string, PdfObject][] = [];
  for (const [key, entry] of value.entries()) {
    entries.push([key, isSignature && key === 'Contents' ? entry : mapStrings(entry, change)]);
  }
  return new PdfDict(entries, value.duplicates);
}
