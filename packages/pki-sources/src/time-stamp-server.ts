/** One TSA to ask, and how to know its tokens. */
export type TimeStampServer = {
  /** For logs and metrics. */
  readonly name: string;
  /** `http:` or `https:`; RFC 3161 over HTTP. */
  readonly url: string;
  /** Trust anchors of its tokens, DER. */
  readonly roots: readonly Uint8Array[];
  /** Asked for and demanded when given, dotted. */
  readonly policy?: string | undefined;
};
