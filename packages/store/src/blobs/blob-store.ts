/** A blob that is stored: its content's SHA-256 is its name. */
export type StoredBlob = { readonly sha256: Uint8Array; readonly storedAt: Date };

/** Content-addressed bytes: files now, an S3-compatible store later. */
export type BlobStore = {
  /** Stores bytes durably: when it resolves they survive a power cut. @returns their SHA-256 */
  put(bytes: Uint8Array): Promise<Uint8Array>;
  /** @throws SigillumError `blob_missing`, `blob_damaged` when the content isn't what the name says */
  get(sha256: Uint8Array): Promise<Uint8Array>;
  /** Removes a blob; one that isn't there is no error. */
  delete(sha256: Uint8Array): Promise<void>;
  list(): AsyncIterable<StoredBlob>;
};
