/** Bytes that an encoder writes as they are and whose place it reports: values that are known only after encoding. */
export class PdfPlaceholder {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}
