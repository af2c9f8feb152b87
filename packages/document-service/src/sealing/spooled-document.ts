import type { DocumentHash } from './prefix-hash.ts';

/** Random access as the PDF reader wants it: `@sigillum/pades` takes it as its input's source. */
export type DocumentSource = {
  readonly size: number;
  /** Descriptor of the file that it is read from, for another process; undefined for one in memory. */
  readonly fd?: number;
  read(offset: number, length: number): Uint8Array;
};

/** A document that has arrived as a whole. */
export type SpooledDocument = {
  readonly source: DocumentSource;
  /** SHA-256 of the document: what the records say. */
  readonly sha256: Uint8Array;
  /** Mid-states after the whole document: one in SHA-256, one in the credential's digest (the same when they agree). */
  readonly sha256State: DocumentHash;
  readonly digestState: DocumentHash;
  /** The document's bytes again, for the answer; a piece is gone when the next is asked for. */
  stream(): AsyncIterable<Uint8Array>;
  /** Lets the bytes go; safe to call twice. */
  dispose(): Promise<void>;
};
