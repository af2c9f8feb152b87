import { isPdfArray, PdfDict, type PdfObject, PdfStream } from '@sigillum/pdf';

/** Whether a dictionary, or one inside it, has a key twice. References are not followed. */
export function hasDuplicates(value: PdfObject): boolean {
  if (value instanceof PdfStream) return hasDuplicates(value.dict);
  if (value instanceof PdfDict) {
    return value.duplicates.length > 0 || [...value.entries()].some(([, entry]) => hasDuplicates(entry));
  }
  return isPdfArray(value) && value.some(hasDuplicates);
}
