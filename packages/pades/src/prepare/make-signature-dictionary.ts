import { encodeTextString, PdfDict, PdfName, type PdfObject, PdfPlaceholder, PdfString } from '@sigillum/pdf';
import { encodePdfDate } from './encode-pdf-date.ts';
import { makeReferences, type SignatureTransforms } from './make-references.ts';
import type { SealOptions } from './seal-options.ts';

export type SignatureDictionary = {
  readonly dict: PdfDict;
  /** Room for the longest ByteRange. */
  readonly byteRange: PdfPlaceholder;
  /** `<000…0>`. */
  readonly contents: PdfPlaceholder;
};

/** Digits of the largest offset in a classic table; a ByteRange never needs more. */
const digits = 10;
const byteRangeLength = '[0'.length + 3 * (1 + digits) + ']'.length;

/** The signature dictionary of a PAdES baseline signature (EN 319 142-1 §6.3): all values direct, no `/Cert`. */
export function makeSignatureDictionary(
  options: SealOptions,
  contentsSize: number,
  transforms: SignatureTransforms,
): SignatureDictionary {
  const { byteRange, contents } = makePlaceholders(contentsSize);
  const entries: [string, PdfObject][] = [
    ['Type', new PdfName('Sig')],
    ['Filter', new PdfName('Adobe.PPKLite')],
    ['SubFilter', new PdfName('ETSI.CAdES.detached')],
    ['ByteRange', byteRange],
    ['Contents', contents],
    ['M', new PdfString(Buffer.from(encodePdfDate(options.signingTime), 'latin1'))],
  ];
  const texts = [
    ['Name', options.name],
    ['Reason', options.reason],
    ['Location', options.location],
    ['ContactInfo', options.contactInfo],
  ] as const;
  for (const [key, text] of texts) if (text !== undefined) entries.push([key, encodeTextString(text)]);
  const references = makeReferences(transforms);
  if (references !== undefined) entries.push(['Reference', references]);
  return { dict: new PdfDict(entries), byteRange, contents };
}

/** The dictionary of a document time-stamp (EN 319 142-1 §5.4.3, ISO 32000-2 §12.8.5); its time is in the token. */
export function makeTimeStampDictionary(contentsSize: number): SignatureDictionary {
  const { byteRange, contents } = makePlaceholders(contentsSize);
  const dict = new PdfDict([
    ['Type', new PdfName('DocTimeStamp')],
    ['Filter', new PdfName('Adobe.PPKLite')],
    ['SubFilter', new PdfName('ETSI.RFC3161')],
    ['ByteRange', byteRange],
    ['Contents', contents],
  ]);
  return { dict, byteRange, contents };
}

function makePlaceholders(contentsSize: number): Pick<SignatureDictionary, 'byteRange' | 'contents'> {
  const hex = new Uint8Array(2 * contentsSize + 2).fill(0x30);
  hex[0] = 0x3c;
  hex[hex.length - 1] = 0x3e;
  return {
    byteRange: new PdfPlaceholder(new Uint8Array(byteRangeLength).fill(0x20)),
    contents: new PdfPlaceholder(hex),
  };
}

/** A ByteRange that fills its placeholder: the array, then spaces before the bracket closes. */
export function encodeByteRange(range: readonly [number, number, number, number]): Uint8Array {
  return Buffer.from(`[${range.join(' ')}`.padEnd(byteRangeLength - 1).concat(']'), 'latin1');
}
