/** What JSON can say (RFC 8259 §3). */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object: what an event is. */
export type JsonObject = { readonly [key: string]: JsonValue };
