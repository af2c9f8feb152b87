import type { Readable } from 'node:stream';

/** A request's body as far as it is known before the document has arrived: its options, and the document as a stream. */
export type DocumentBody = {
  /** The options, not checked yet, and the JSON Pointer of the object that they stand in. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly optionsPointer: string;
  /** The document's bytes. A chunk is there until its handler returns, which has to copy it. */
  readonly document: Readable;
  /** Takes back a chunk of it that was copied. */
  release(chunk: Buffer<ArrayBuffer>): void;
  /** Bytes of the document, where that is known before. */
  readonly announcedSize: number | undefined;
  /** Resolves when nothing wrong followed the document; rejects otherwise. Wait for it before using the document. */
  readonly finished: Promise<void>;
  /** Lets go of what still comes: it is read and thrown away, so that the caller can hear why. */
  abandon(): void;
};
