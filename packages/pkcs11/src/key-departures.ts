/**
 * How one vendor's module differs from what we ask of a signing key's attributes. Documented in the vendor's profile,
 * so that a transcript can say what is missing; everything else stays required.
 */
export type KeyDepartures = {
  /** Attributes, by name, that the module refuses in a template and doesn't answer: neither given nor required. */
  readonly unknown: readonly string[];
  /** Flags that read back otherwise than they are (CKA_LOCAL is false on NSS for keys that were made there). */
  readonly readsBack: Readonly<Record<string, boolean>>;
};

/** A module that does all we ask for. */
export const noDepartures: KeyDepartures = { unknown: [], readsBack: {} };
