import { randomBytes } from 'node:crypto';
import type { SealRequestOptions } from './seal-request-options.ts';

/** A document as bytes or piece by piece. */
export type UploadedDocument = Uint8Array | AsyncIterable<Uint8Array>;

/** How a document and its options go to the service: options in the query, or both as a form. */
export type DocumentRequest = {
  readonly query: Readonly<Record<string, string | number | undefined>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: UploadedDocument;
};

/** The document as it is, with the options in the query; with an appearance, whose JSON may be large, as a form. */
export function makeSealRequest(
  document: UploadedDocument,
  options: SealRequestOptions & { readonly retain?: string | number; readonly idempotencyKey?: string },
): DocumentRequest {
  const { credential, level, reason, location, contactInfo, name, certify, field, appearance, retain } = options;
  const given = { credential, level, reason, location, contact_info: contactInfo, name, certify, field, retain };
  const key = toKeyHeader(options.idempotencyKey);
  if (appearance === undefined) {
    return { query: given, headers: { ...key, 'Content-Type': 'application/pdf' }, body: document };
  }
  const boundary = `sigillum-${randomBytes(18).toString('hex')}`;
  return {
    query: {},
    headers: { ...key, 'Content-Type': `multipart/form-data; boundary=${boundary}` },
    body: writeForm(boundary, JSON.stringify({ ...given, appearance }), document),
  };
}

/** The header of an idempotency key, if there is one. */
export function toKeyHeader(key: string | undefined): Readonly<Record<string, string>> {
  return key === undefined ? {} : { 'Idempotency-Key': key };
}

/** RFC 7578: the part `options`, then `file`. */
async function* writeForm(boundary: string, options: string, document: UploadedDocument): AsyncGenerator<Uint8Array> {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  yield encode(
    `--${boundary}\r\nContent-Disposition: form-data; name="options"\r\nContent-Type: application/json\r\n\r\n${options}\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="document.pdf"\r\nContent-Type: application/pdf\r\n\r\n`,
  );
  if (document instanceof Uint8Array) yield document;
  else yield* document;
  yield encode(`\r\n--${boundary}--\r\n`);
}
