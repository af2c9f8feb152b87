/** What one stable error code means to an HTTP caller (RFC 9457). */
export type CodeDefinition = {
  /** HTTP status of the problem answer. */
  readonly status: number;
  /** Short, constant summary of the problem type. */
  readonly title: string;
};

/** Checks a group of codes without widening its keys. */
export function defineCodes<const Codes extends Record<string, CodeDefinition>>(codes: Codes): Codes {
  return codes;
}
