import { isPdfArray, type PdfDict, type PdfDocument, PdfName, type PdfObject, PdfReal, PdfStream } from '@sigillum/pdf';
import { type CharacterMap, readCharacterMap } from './character-map.ts';
import { type Budget, decodeContent } from './decode-content.ts';

/** A number, or undefined for any other value. */
export function toNumber(value: PdfObject | undefined): number | undefined {
  const number = value instanceof PdfReal ? value.value : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export function findNumber(document: PdfDocument, dict: PdfDict, key: string): number | undefined {
  return toNumber(document.find(dict, key));
}

export function findName(document: PdfDocument, dict: PdfDict, key: string): string | undefined {
  const value = document.find(dict, key);
  return value instanceof PdfName ? value.value : undefined;
}

export function findNumbers(document: PdfDocument, dict: PdfDict, key: string): readonly number[] | undefined {
  const value = document.find(dict, key);
  return isPdfArray(value) ? value.map((item) => toNumber(document.resolve(item)) ?? 0) : undefined;
}

/** The CMap in a stream, if there is one. */
export function findCharacterMap(
  document: PdfDocument,
  dict: PdfDict,
  key: string,
  budget: Budget,
): CharacterMap | undefined {
  const value = document.find(dict, key);
  return value instanceof PdfStream ? readCharacterMap(decodeContent(document, value, budget)) : undefined;
}
