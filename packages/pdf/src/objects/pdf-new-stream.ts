import type { PdfDict } from './pdf-object.ts';

/** A stream to be written (ISO 32000-2 §7.3.8): its data as they shall stand in the file. `/Length` is added by the encoder. */
export class PdfNewStream {
  readonly dict: PdfDict;
  readonly data: Uint8Array;
  constructor(dict: PdfDict, data: Uint8Array) {
    this.dict = dict;
    this.data = data;
  }
}
