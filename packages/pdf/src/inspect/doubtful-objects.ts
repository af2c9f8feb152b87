import { isSigillumError } from '@sigillum/errors';
import type { PdfDocument } from '../document/pdf-document.ts';
import { limits } from '../limits.ts';
import { isPdfArray, PdfDict, type PdfObject, type PdfRef, PdfStream } from '../objects/pdf-object.ts';

/**
 * What the strict reader says of objects that a survey can't judge: an error to it, or not; the same key twice with equal
 * values, which is none, or with others. It is slow, so it is asked `limits.surveyedDoubts` times for one survey.
 */
export class DoubtfulObjects {
  readonly #document: PdfDocument;
  #left: number = limits.surveyedDoubts;

  constructor(document: PdfDocument) {
    this.#document = document;
  }

  /**
   * Whether an object has a key twice, or can't be read, or has to be taken for such a one because too many were asked for.
   *
   * @throws SigillumError `pdf_limit_exceeded`
   */
  has(ref: PdfRef): boolean {
    if (this.#left === 0) return true;
    this.#left--;
    try {
      return hasKeyTwice(this.#document.get(ref));
    } catch (error) {
      if (!isSigillumError(error) || error.code === 'pdf_limit_exceeded') throw error;
      return true;
    }
  }
}

function hasKeyTwice(value: PdfObject): boolean {
  if (value instanceof PdfStream) return hasKeyTwice(value.dict);
  if (value instanceof PdfDict) {
    return value.duplicates.length > 0 || [...value.entries()].some(([, entry]) => hasKeyTwice(entry));
  }
  return isPdfArray(value) && value.some(hasKeyTwice);
}
