/** What any seal may be asked for. */
export type SealRequestOptions = {
  /** Name or id; the default one without it. */
  readonly credential?: string;
  /** `b-t` without it. */
  readonly level?: 'b-t' | 'b-lt' | 'b-lta';
  readonly reason?: string;
  readonly location?: string;
  readonly contactInfo?: string;
  /** Name of the sealer, beside what the certificate says. */
  readonly name?: string;
  /** Certifies the document: 1 allows no change afterwards, 2 filling forms and signing, 3 annotations too. */
  readonly certify?: 1 | 2 | 3;
  /** An empty signature field of the document, or the name of the new one. */
  readonly field?: string;
  /** Makes the seal visible: the JSON of `appearance`, as the API describes it. */
  readonly appearance?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
};
