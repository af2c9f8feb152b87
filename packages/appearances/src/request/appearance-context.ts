/** What the fields of an appearance's texts are filled with. It must be what the signature dictionary says. */
export type AppearanceContext = {
  /** The signing time, as in `/M`: {date}, {time}. */
  readonly now: Date;
  /** {name} */
  readonly signer: string;
  /** {reason} */
  readonly reason?: string;
  /** {location} */
  readonly location?: string;
  /** {contact} */
  readonly contact?: string;
  /** Further fields by their name, `[a-z][a-z0-9_]*`, e.g. {id} of the seal. */
  readonly fields?: Readonly<Record<string, string>>;
};
