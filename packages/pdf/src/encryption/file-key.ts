/** The key that the empty password opens, and whether it is the owner's, whom permissions don't bind (ISO 32000-2 §7.6.4.1). */
export type FileKey = { readonly key: Uint8Array; readonly isOwner: boolean };
