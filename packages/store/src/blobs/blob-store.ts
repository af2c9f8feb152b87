/** A blob that is stored: its content's SHA-256 is its name. */
export type StoredBlob = { readonly sha256: Uint8Array; readonly storedAt: Date };

/** A blob that is read piece by piece. */
export type BlobReader = {
  readonly size: number;
  /** Once; a piece is gone when the next is asked for. Throws `blob_damaged` at its end, before which no reader has all of it, when the content isn't what the name says. */
  read(): AsyncIterable<Uint8Array>;
  /** Lets go of it; safe to call twice, and needed when `read` wasn't followed to its end. */
  close(): Promise<void>;
};

/**
 * Content-addressed bytes: files now, an S3-compatible store later. Whatever the disk refuses is `storage_full` or
 * `storage_unavailable`.
 */
export type BlobStore = {
  /** Stores bytes durably: when it resolves they survive a power cut. @returns their SHA-256 */
  put(bytes: Uint8Array): Promise<Uint8Array>;
  /** {@link put} for what is too large for memory. */
  putStream(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array>;
  /** @throws SigillumError `blob_missing`, `blob_damaged` when the content isn't what the name says */
  get(sha256: Uint8Array): Promise<Uint8Array>;
  /** @throws SigillumError `blob_missing` */
  open(sha256: Uint8Array): Promise<BlobReader>;
  /** Removes a blob; one that isn't there is no error. */
  delete(sha256: Uint8Array): Promise<void>;
  list(): AsyncIterable<StoredBlob>;
};
